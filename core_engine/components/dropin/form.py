"""Makes the typed configuration of a component from the settings its manifest declares."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from core_engine.components.dropin.description import FieldEntry, Manifest
from core_engine.components.dropin.problem import UnusableError
from core_engine.components.fields import JsonList, NamedValue
from core_engine.kernel.component import Config
from shared.contract.component import PropertyInfo, PropertyOption

_NUMBERS = {"integer": int, "int": int, "float": float, "number": float}
_FLAGS = frozenset({"boolean", "bool", "toggle"})
_CHOICES = frozenset({"enum", "select"})
_FOLDERS = frozenset({"folderpath", "folder_picker"})
_ADDRESSES = frozenset({"url", "host"})
_TEXTS = frozenset(
    {
        "string", "text", "textarea", "code", "cron_editor", "color_picker", "file", "filepath", "file_picker",
        "ai_provider_select", "prompt_selector", *_FOLDERS, *_ADDRESSES,
    }
)  # fmt: skip
_LISTS = frozenset({"list", "folderpairlist"})
_COMPONENTS = _TEXTS | _LISTS | _FLAGS | _CHOICES | {"header"}
_PAIRS = "dynamic_key_value_editor"


class DropinConfig(Config):
    """Base of the made models; members that no field declares are handed on, as published components expect."""

    model_config = ConfigDict(frozen=True, extra="allow")

    def values(self) -> dict[str, Any]:
        """Return the settings by their published names, as JSON."""
        return self.model_dump(mode="json", by_alias=True)


class Form:
    """The settings of one component."""

    def __init__(self, manifest: Manifest) -> None:
        self.fields = _declared(manifest)
        self.model = _model(self.fields)
        self.raw_fields = frozenset(item.id for item in self.fields if item.type == "code")
        self.folders = tuple(item.id for item in self.fields if _kind(item) in _FOLDERS)
        self.addresses = tuple(item.id for item in self.fields if _kind(item) in _ADDRESSES)

    def properties(self) -> list[PropertyInfo]:
        """Describe the settings for a form; labels and descriptions are always there."""
        return [
            PropertyInfo(
                id=item.id,
                type=item.type,
                label=item.label or item.id.replace("_", " ").capitalize(),
                description=item.description or item.label or item.id,
                default=item.default,
                required=item.required,
                options=[PropertyOption(label=label, value=value) for label, value in _options(item)],
            )
            for item in self.fields
        ]

    def ui_schema(self, manifest: Manifest) -> list[dict[str, Any]]:
        """Return the form's layout with everything in it that forms cannot do without."""
        known = {item.id: item for item in self.properties()}
        layout = []
        for item in manifest.ui_schema:
            text = {"label": item.label or item.id, "description": item.description or item.label or item.id}
            extra = known[item.id].model_dump(exclude={"options"}) if item.id in known else {}
            layout.append(item.model_dump(exclude_none=True) | extra | text)
        shown = {item.id for item in manifest.ui_schema}
        if manifest.ui_schema:  # a form prefers the layout: what it lacks would be out of reach
            layout += [item.model_dump() for item in known.values() if item.id not in shown]
        return layout


def _declared(manifest: Manifest) -> list[FieldEntry]:
    fields: dict[str, FieldEntry] = {}
    for item in (*manifest.properties, *manifest.ui_schema):
        if _kind(item) == "header":
            continue
        known = fields.get(item.id)
        if known is None:
            fields[item.id] = item
        elif not known.options and item.options:
            fields[item.id] = known.model_copy(update={"options": item.options})
    for variable in manifest.requires_variables:
        default = f"{{{{vars.{variable.name}}}}}"
        text = variable.description or f"The variable {variable.name}."
        fields.setdefault(
            variable.name,
            FieldEntry(id=variable.name, label=variable.name, description=text, default=default),
        )
    return list(fields.values())


def _model(fields: list[FieldEntry]) -> type[DropinConfig]:
    members: dict[str, Any] = {}
    for number, item in enumerate(fields):
        annotation = _annotation(item)
        default = _default(item, annotation)
        members[f"field_{number}"] = (
            annotation,
            Field(
                default,
                validate_default=False,
                alias=item.id,
                title=item.label or None,
                description=item.description or None,
            ),
        )
    return create_model("Settings", __base__=DropinConfig, **members)


def _default(item: FieldEntry, annotation: Any) -> Any:
    if item.required and item.default in (None, ""):
        return ...
    if item.default is None:
        return None
    if item.default == "" and annotation is not str:
        return None
    probe = create_model("Probe", value=(annotation, ...))
    try:
        return getattr(probe.model_validate({"value": item.default}), "value", None)
    except ValueError as error:
        raise UnusableError(f"the default of the setting {item.id} does not fit its type") from error


def _annotation(item: FieldEntry) -> Any:
    kind = _kind(item)
    made: Any = Any
    if kind in _NUMBERS:
        made = _NUMBERS[kind]
    elif kind in _FLAGS:
        made = bool
    elif kind in _CHOICES and (values := tuple(_values(item))):
        made = Literal[values]
    elif kind in _TEXTS:
        made = str
    elif kind in _LISTS:
        made = JsonList[Any]
    elif kind == _PAIRS:
        made = JsonList[NamedValue]
    return made if item.required or made is Any else made | None


def _kind(item: FieldEntry) -> str:
    named = item.component.lower()
    return named if named and named in _COMPONENTS else item.type.lower()


def _values(item: FieldEntry) -> list[Any]:
    found = [option.get("value") if isinstance(option, dict) else option for option in item.options]
    return [value for value in found if isinstance(value, str | int | bool)]


def _options(item: FieldEntry) -> list[tuple[str, str]]:
    labels = {
        str(option.get("value")): str(option.get("label") or option.get("value"))
        for option in item.options
        if isinstance(option, dict)
    }
    return [(labels.get(str(value), str(value)), str(value)) for value in _values(item)]


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of the settings, by their published names."""
    return model.model_json_schema(by_alias=True)
