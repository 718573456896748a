"""JSON Schema by the library, with what could hang or reach out taken away: RE2 for patterns, no remote references."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from core_engine.components.builtin.regex.matching import compile_pattern
from core_engine.components.records import fail

_LONGEST = 300
_PLAIN_DATA = frozenset({"const", "enum", "default", "examples"})
_MOST_PARTS = 50_000


def check_schema(schema: Any) -> Any:
    """Return a schema (given as an object or as JSON) that can be used; raises ValueError saying what is wrong."""
    if isinstance(schema, str):
        try:
            schema = json.loads(schema)
        except ValueError as error:
            raise ValueError(f"not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise ValueError("a JSON Schema is an object")  # noqa: TRY004 - pydantic makes field errors of ValueError
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - heavy, only where used

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "/".join(map(str, error.absolute_path)) or "the schema"
        raise ValueError(f"{where}: {error.message[:_LONGEST]}") from error
    except RecursionError as error:
        raise ValueError("the schema is nested too deeply") from error
    _check_parts(schema)
    return schema


def problems(schema: dict[str, Any], value: Any, *, formats: bool, most: int) -> list[dict[str, str]]:
    """Return what is wrong with a value, as ``path``, ``message`` and ``rule`` (the keyword)."""
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415 - heavy, only where used
    from referencing import Registry  # noqa: PLC0415 - heavy, only where used
    from referencing.exceptions import Unresolvable  # noqa: PLC0415 - heavy, only where used

    linear = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    }
    kind = validators.extend(Draft202012Validator, linear)
    checker = Draft202012Validator.FORMAT_CHECKER if formats else None
    validator = kind(schema, registry=Registry(), format_checker=checker)
    try:
        found = list(islice(validator.iter_errors(value), most))
    except Unresolvable as error:
        raise fail(f"A reference of the schema leads nowhere: {error}") from error
    return [
        {
            "path": _path(error.absolute_path),
            "message": error.message[:_LONGEST],
            "rule": str(error.validator),
        }
        for error in found
    ]


def _path(parts: Any) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _check_parts(schema: dict[str, Any]) -> None:
    left: list[Any] = [schema]
    for _ in range(_MOST_PARTS):
        if not left:
            return
        part = left.pop()
        if isinstance(part, list):
            left += part
        elif isinstance(part, dict):
            _check_part(part)
            left += [inner for name, inner in part.items() if name not in _PLAIN_DATA]
    raise ValueError("the schema has too many parts")


def _check_part(part: dict[str, Any]) -> None:
    for name in ("$ref", "$dynamicRef"):
        target = part.get(name)
        if isinstance(target, str) and not target.startswith("#"):
            raise ValueError(f"{name} {target[:_LONGEST]!r} points outside the schema; only # is followed")
    patterns = part.get("patternProperties")
    if isinstance(patterns, dict):
        if "unevaluatedProperties" in part:
            raise ValueError("patternProperties and unevaluatedProperties cannot stand together")
        for pattern in patterns:
            compile_pattern(pattern, "")
    if isinstance(part.get("pattern"), str):
        compile_pattern(part["pattern"], "")


def _matches(pattern: str, text: str) -> bool:
    compiled = compile_pattern(pattern, "").regexp
    return compiled.search(text.encode("utf-8", "replace").decode()) is not None


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - heavy, only where used

    if isinstance(value, str) and not _matches(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, value: Any, _schema: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for pattern, inner in patterns.items():
            for name, item in value.items():
                if _matches(pattern, name):
                    yield from validator.descend(item, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rule: Any, value: Any, schema: Any) -> Iterator[Any]:
    from jsonschema import ValidationError  # noqa: PLC0415 - heavy, only where used

    if not isinstance(value, dict):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in value:
        if name in named or any(_matches(pattern, name) for pattern in patterns):
            continue
        if rule is False:
            yield ValidationError(f"{name!r} is not expected here")
        elif isinstance(rule, dict):
            yield from validator.descend(value[name], rule, path=name)
