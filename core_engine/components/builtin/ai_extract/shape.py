"""Checks a model's answer against a JSON Schema: nothing is fetched, and no pattern can take the engine's time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import re2

from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import FloworkError
from shared.signing.strict_json import check_depth

_FENCED = re.compile(r"\A```[a-zA-Z]*\s*\n(.*?)\n?```\Z", re.DOTALL)
_LONGEST = 500


class ShapeError(ValueError):
    """A schema or a value is wrong; the text says where."""


class Shape:
    """A JSON Schema (draft 2020-12); references may point inside it only. Raises ShapeError."""

    def __init__(self, schema: dict[str, Any]) -> None:
        from jsonschema.exceptions import SchemaError  # noqa: PLC0415 - heavy, only where used
        from referencing import Registry  # noqa: PLC0415 - heavy, only where used

        validator = _validator_class()
        try:
            validator.check_schema(schema)
            _check_patterns(schema)
        except SchemaError as error:
            raise ShapeError(error.message[:_LONGEST]) from error
        except RecursionError as error:
            raise ShapeError("it is nested too deeply") from error
        self._validator = validator(schema, registry=Registry())

    def read(self, text: str) -> Any:
        """Return the value a model wrote, a code fence around it taken off; raises ShapeError."""
        text = text.strip()
        fenced = _FENCED.match(text)
        content = (fenced[1] if fenced else text).encode("utf-8", "replace")
        try:
            check_depth(content, MAX_DEPTH)
            value = msgspec.json.decode(content)
        except FloworkError as error:
            raise ShapeError(error.message) from error
        except msgspec.DecodeError as error:
            raise ShapeError(f"it is not JSON: {error}") from error
        self._check(value)
        return value

    def _check(self, value: Any) -> None:
        from referencing.exceptions import Unresolvable  # noqa: PLC0415 - heavy, only where used

        try:
            wrong = next(self._validator.iter_errors(value), None)
        except (Unresolvable, RecursionError) as error:
            raise ShapeError(f"the schema refers to what is not in it: {str(error)[:_LONGEST]}") from error
        if wrong:
            raise ShapeError(f"{wrong.json_path}: {wrong.message[:_LONGEST]}")


@cache
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator, ValidationError  # noqa: PLC0415 - heavy, only where used
    from jsonschema.validators import extend  # noqa: PLC0415 - heavy, only where used

    def pattern(_validator: Any, wanted: str, value: Any, _schema: Any) -> Iterator[Any]:
        if isinstance(value, str) and not re2.search(wanted, value):
            yield ValidationError(f"{value[:80]!r} does not match {wanted!r}")

    return extend(Draft202012Validator, {"pattern": pattern})


def _check_patterns(schema: Any) -> None:
    """Refuse patterns that our engine, which cannot be kept busy by them, does not know."""
    if isinstance(schema, list):
        for item in schema:
            _check_patterns(item)
    if not isinstance(schema, dict):
        return
    if schema.get("patternProperties"):
        raise ShapeError("patternProperties are not supported")
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        try:
            re2.compile(pattern)
        except re2.error as error:
            raise ShapeError(f"the pattern {pattern[:80]!r} is not supported: {error}") from error
    for item in schema.values():
        _check_patterns(item)
