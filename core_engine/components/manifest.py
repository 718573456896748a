"""Derives a component's published manifest (protocol §6.2-6.3) from its class; nothing is written twice."""

from __future__ import annotations

import enum
import json
import types
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core_engine.components.fields import NamedValue
from core_engine.kernel.component import Component, Port, StepPolicy
from shared.contract.component import ComponentInfo, ManifestInfo, PortInfo, PropertyInfo, PropertyOption

AUTHOR = "Flowork"

GUARANTEES: dict[StepPolicy, str] = {
    StepPolicy.REPEATABLE: (
        "A finished step is recorded once. It has no effect outside: after a crash it is simply run again."
    ),
    StepPolicy.KEYED: (
        "A finished step is recorded once. Its effect outside happens at least once: after a crash it is run again"
        " with the same key (of run, node and iteration), by which a repeat is told apart."
    ),
    StepPolicy.ONCE: (
        "A finished step is recorded once. It is never repeated by itself: after a crash in the middle the outcome is"
        " shown as unknown and you decide."
    ),
}
"""What each step policy promises, in words for everybody."""

_SIMPLE_TYPES: dict[Any, str] = {str: "string", int: "integer", float: "float", bool: "boolean"}


def check(component: Component[Any]) -> None:
    """Raise ValueError when the class leaves out something a form or a reader needs."""
    for attribute in ("id", "name", "description", "category"):
        if not getattr(component, attribute, ""):
            raise ValueError(f"the component has no {attribute}")
    for name, field in component.config_model.model_fields.items():
        if not field.description:
            raise ValueError(f"the setting {name} has no description")


def describe(component: Component[Any], *, icon_file: str | None) -> ManifestInfo:
    """Return the manifest; raises what `check` does."""
    check(component)
    return _manifest_of(type(component), icon_file)


@lru_cache(maxsize=256)
def _manifest_of(component: type[Component[Any]], icon_file: str | None) -> ManifestInfo:
    properties = [_property(name, field) for name, field in component.config_model.model_fields.items()]
    fields = component.config_model.model_fields.values()
    return ManifestInfo(
        id=component.id,
        name=component.name,
        version=component.version,
        author=AUTHOR,
        description=component.description,
        type=component.kind,
        category=component.category,
        requires_input=bool(component.inputs),
        input_ports=[_port(port) for port in component.inputs],
        output_ports=[_port(port) for port in component.outputs],
        properties=properties,
        ui_schema=[_ui(item, field) for item, field in zip(properties, fields, strict=True)],
        icon_file=icon_file,
        config_schema=component.config_model.model_json_schema(),
        guarantee=GUARANTEES[component.policy],
    )


def inform(manifest: ManifestInfo) -> ComponentInfo:
    """Return a component as an item of a list."""
    return ComponentInfo(
        id=manifest.id,
        name=manifest.name,
        version=manifest.version,
        description=manifest.description,
        manifest=manifest,
    )


def inform_broken(component_id: str, reason: str) -> ComponentInfo:
    """Return a component that cannot be used as an item of a list, with the reason as its description."""
    text = f"Cannot be used: {reason}"
    manifest = ManifestInfo(
        id=component_id, name=component_id, version="0", author="unknown", description=text, type="ACTION",
        category="broken", input_ports=[], output_ports=[], properties=[], config_schema={},
        guarantee="Cannot be run.",
    )  # fmt: skip
    return inform(manifest).model_copy(update={"is_paused": True, "is_installed": False})


def _port(port: Port) -> PortInfo:
    return PortInfo(name=port.name, display_name=port.label, tooltip=port.hint)


def _property(name: str, field: FieldInfo) -> PropertyInfo:
    kind, options = _type_of(field.annotation)
    hints = _hints(field)
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    if kind == "code" and "widget" not in hints:
        default = json.dumps(_plain(default), indent=1) if default else "[]"
    elif kind == "string" and isinstance(default, list):
        default = ", ".join(default)
    return PropertyInfo(
        id=name,
        type=str(hints.get("widget", kind)),
        label=field.title or name.replace("_", " ").capitalize(),
        description=field.description or "",
        default=_plain(default),
        required=field.is_required(),
        options=[PropertyOption(label=option.replace("_", " "), value=option) for option in options],
    )


def _ui(item: PropertyInfo, field: FieldInfo) -> dict[str, Any]:
    entry = item.model_dump(exclude={"options"})
    if item.options:
        entry |= {"component": "select", "options": [option.model_dump() for option in item.options]}
    if item.type in {"textarea", "code"}:
        entry["rows"] = 8
    return entry | {key: value for key, value in _hints(field).items() if key != "widget"}


def _type_of(annotation: Any) -> tuple[str, list[str]]:
    """Return the property type of an annotation and, for a choice, its options."""
    if annotation in _SIMPLE_TYPES:
        return _SIMPLE_TYPES[annotation], []
    if isinstance(annotation, type) and issubclass(annotation, enum.StrEnum):
        return "enum", [member.value for member in annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return "enum", [str(option) for option in arguments]
    if origin is list:
        return _list_type(arguments[0]), []
    if origin in {Union, types.UnionType}:
        return _type_of(next(part for part in arguments if part is not type(None)))
    return "string", []


def _list_type(item: Any) -> str:
    if item is str:
        return "string"
    return "dynamic_key_value_editor" if item is NamedValue else "code"


def _hints(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    hints = extra.get("form", {}) if isinstance(extra, dict) else {}
    return hints if isinstance(hints, dict) else {}


def _plain(value: Any) -> Any:
    """Return a default as JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, enum.Enum) else value
