"""Compares what came out with what was expected; objects may have more members than expected, and matchers match."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

_MISSING = object()
_LONGEST_SHOWN = 300
_MOST = 100
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, Mapping),
    "list": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


class Unlike(NamedTuple):
    """One difference: where, and both sides as text."""

    path: str
    expected: str
    actual: str


def compare(expected: Any, actual: Any, path: str = "data") -> list[Unlike]:
    """Return the differences; none means that what came out is as expected.

    Raises ValueError for a matcher that does not exist or cannot be used.
    """
    found = []
    for item in _differences(expected, actual, path):
        found.append(item)
        if len(found) == _MOST:
            break
    return found


def show(value: Any) -> str:
    """Return a value as short JSON text."""
    if value is _MISSING:
        return "(missing)"
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _differences(expected: Any, actual: Any, path: str) -> Iterator[Unlike]:
    if isinstance(expected, Mapping) and len(expected) == 1 and next(iter(expected)).startswith("$"):
        name, argument = next(iter(expected.items()))
        if not _matches(name, argument, actual):
            yield Unlike(path, show(expected), show(actual))
    elif isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            yield Unlike(path, show(expected), show(actual))
            return
        for key, item in expected.items():
            yield from _differences(item, actual.get(key, _MISSING), f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield Unlike(path, f"{len(expected)} items", f"{len(actual)} items: {show(actual)}")
            return
        for index, (one, other) in enumerate(zip(expected, actual, strict=True)):
            yield from _differences(one, other, f"{path}[{index}]")
    elif not _same(expected, actual):
        yield Unlike(path, show(expected), show(actual))


def _same(one: Any, other: Any) -> bool:
    """Compare JSON values exactly; true is not 1, but 1 is 1.0."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(item, other[key]) for key, item in one.items())
    return bool(one == other)


def _matches(name: str, argument: Any, actual: Any) -> bool:
    matcher = _MATCHERS.get(name)
    if matcher is None:
        raise ValueError(f"There is no matcher {name}; there are {', '.join(_MATCHERS)}.")
    try:
        return matcher(argument, actual)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"The matcher {name} cannot be used with {show(argument)}: {error}.") from error


def _pattern(argument: Any, actual: Any) -> bool:
    import re2  # noqa: PLC0415 - only where used; its time is linear in the text, whatever the pattern

    try:
        return isinstance(actual, str) and re2.search(argument, actual) is not None
    except re2.error as error:
        raise ValueError(f"The pattern {argument!r} is not valid: {error}.") from error


def _contains(argument: Any, actual: Any) -> bool:
    if isinstance(actual, str):
        return isinstance(argument, str) and argument in actual
    return isinstance(actual, list) and any(not compare(argument, item) for item in actual)


def _close(argument: Any, actual: Any) -> bool:
    value, tolerance = argument
    return _TYPES["number"](actual) and abs(actual - value) <= tolerance


_MATCHERS: dict[str, Callable[[Any, Any], bool]] = {
    "$any": lambda _, actual: actual is not _MISSING,
    "$absent": lambda _, actual: actual is _MISSING,
    "$exact": lambda argument, actual: actual is not _MISSING and _same(argument, actual),
    "$type": lambda argument, actual: actual is not _MISSING and _TYPES[argument](actual),
    "$regex": _pattern,
    "$contains": _contains,
    "$close": _close,
    "$length": lambda argument, actual: isinstance(actual, list | str | Mapping) and len(actual) == argument,
}
