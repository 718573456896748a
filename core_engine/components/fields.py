"""Types of configuration members that several components share, and how a form shows them."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from core_engine.components.conditions import number
from core_engine.kernel.component import reads_text

Item = TypeVar("Item")

ValueType = Literal["auto", "text", "number", "boolean", "json"]


class Part(BaseModel):
    """Base of the items that stand in a list of a configuration."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def form(**hints: Any) -> dict[str, Any]:
    """Tell the form how to show a member: ``widget`` (a property type), ``rows``, ``placeholder``, ``language``."""
    return {"form": hints}


@reads_text
def _parse_list(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value) if value.strip() else []
        except ValueError as error:
            raise ValueError(f"not a JSON list: {error}") from error
    return [] if value is None else value


JsonList = Annotated[list[Item], BeforeValidator(_parse_list)]
"""A list of objects; a form may hand it over as JSON text."""


@reads_text
def _split_words(value: Any) -> Any:
    if isinstance(value, str):
        parsed = _parse_list(value) if value.lstrip().startswith("[") else value.split(",")
        return [str(part).strip() for part in parsed if str(part).strip()]
    return [] if value is None else value


Words = Annotated[list[str], BeforeValidator(_split_words)]
"""Names; a form may hand them over as a text with commas."""


class NamedValue(Part):
    """A name and a value, one row of a key-value editor."""

    name: str = Field(min_length=1, max_length=200)
    value: Any = None
    type: str = "auto"

    def typed(self) -> Any:
        """Return the value as its ``type`` says. Raises ValueError.

        auto (also any type we do not know): as it is. text, string: as text. number, integer, float: a number.
        boolean: true, 1, yes, on and their opposites. json, list, object: parsed, when it is text.
        """
        return _typed(self.type, self.value)


def _typed(kind: str, value: Any) -> Any:
    if kind == "auto":
        return value
    convert = _CONVERSIONS.get(kind.lower())
    return convert(value) if convert else value


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _to_number(value: Any) -> int | float:
    parsed = number(value)
    if parsed is None:
        raise ValueError(f"{value!r} is not a number")
    if isinstance(value, int):
        return value
    return int(parsed) if parsed.is_integer() and abs(parsed) < 2**53 else parsed


def _to_boolean(value: Any) -> bool:
    spelled = str(value).strip().lower()
    if spelled in {"true", "1", "yes", "on"}:
        return True
    if spelled in {"false", "0", "no", "off", ""}:
        return False
    raise ValueError(f"{value!r} is neither true nor false")


def _to_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


_CONVERSIONS = {
    "text": _to_text, "string": _to_text,
    "number": _to_number, "integer": _to_number, "float": _to_number,
    "boolean": _to_boolean,
    "json": _to_json, "list": _to_json, "object": _to_json,
}  # fmt: skip


def typed_values(values: list[NamedValue]) -> dict[str, Any]:
    """Return named values as an object; a later one of the same name wins. Raises ValueError naming the value."""
    result = {}
    for item in values:
        try:
            kind, value = item.type, item.value  # a method of a model is found slowly
            result[item.name] = value if kind == "auto" else _typed(kind, value)
        except ValueError as error:
            raise ValueError(f"{item.name}: {error}") from error
    return result
