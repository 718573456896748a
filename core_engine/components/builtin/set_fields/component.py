"""Sets, keeps and removes members of the data."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import JsonList, NamedValue, Words, form, typed_values
from core_engine.kernel.component import Component, Config
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class SetFieldsConfig(Config):
    """What the data becomes."""

    fields: JsonList[NamedValue] = Field(
        default_factory=list, max_length=500,
        description="Names and values to set. A dot in a name reaches into an object: customer.city.",
    )  # fmt: skip
    keep_input: bool = Field(
        True, description="Keep the incoming data and change it; off starts with an empty object."
    )
    remove: Words = Field(
        default_factory=list, max_length=500, description="Names to take out, with commas between them.",
        json_schema_extra=form(placeholder="password, internal.id"),
    )  # fmt: skip


class SetFields(Component[SetFieldsConfig]):
    """Changes the data."""

    id = "set_fields"
    name = "Set fields"
    description = "Sets and removes members of the data."
    category = "Data"
    config_model = SetFieldsConfig

    @override
    def execute(self, context: Context, config: SetFieldsConfig, payload: Payload) -> Result:
        """Remove first, then set. The incoming object itself is left as it is."""
        keep = config.keep_input and isinstance(payload.data, dict)
        data: dict[str, Any] = payload.data.copy() if keep else {}  # a copy of our own, here and below
        for name in config.remove:
            data = _without(data, name.split("."))
        for name, value in typed_values(config.fields).items():
            if "." in name:
                data = _with(data, name.split("."), value)
            else:
                data[name] = value
        return Result({"success": Payload(data, payload.history)})


def _with(data: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    head, *rest = path
    if not rest:
        return {**data, head: value}
    inner = data.get(head)
    return {**data, head: _with(inner if isinstance(inner, dict) else {}, rest, value)}


def _without(data: dict[str, Any], path: list[str]) -> dict[str, Any]:
    head, *rest = path
    inner = data.get(head)
    if rest and isinstance(inner, dict):
        return {**data, head: _without(inner, rest)}
    return data if rest else {key: value for key, value in data.items() if key != head}
