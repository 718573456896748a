"""How components find their list, text or value in what they are given, and add to it what they made."""

from __future__ import annotations

import json
from typing import Any

from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

MOST_RECORDS = 1_000_000
_LIST_NAMES = ("records", "items", "rows", "lines")


class Missing:
    """The type of `MISSING`."""


MISSING = Missing()
"""Stands for a member that is not there; none is a value."""


def fail(message: str) -> FloworkError:
    """Return the error of a step whose data does not fit."""
    return FloworkError(ErrorCode.COMPONENT_FAILED, message)


def records_of(given: Any, data: Any) -> list[Any]:
    """Return the list that was named, else the data itself or its records, items, rows or lines.

    Raises COMPONENT_FAILED where there is none and TOO_LARGE beyond a million.
    """
    if given is None or given == "":
        given = data
        if isinstance(data, dict):
            given = next((data[name] for name in _LIST_NAMES if isinstance(data.get(name), list)), None)
    if not isinstance(given, list):
        raise fail("There is no list: the data has neither records nor items, rows or lines.")
    if len(given) > MOST_RECORDS:
        raise FloworkError(ErrorCode.TOO_LARGE, f"More than {MOST_RECORDS} items.")
    return given


def objects_of(given: Any, data: Any) -> list[dict[str, Any]]:
    """Return a list of objects as `records_of` does; raises COMPONENT_FAILED naming the first other item."""
    found = records_of(given, data)
    for position, item in enumerate(found, start=1):
        if not isinstance(item, dict):
            raise fail(f"Item {position} of the list is not an object.")
    return found


def text_of(given: Any, data: Any) -> str:
    """Return the text that was named, else the data itself or its text; other values as JSON.

    Raises COMPONENT_FAILED where there is none.
    """
    if given is None:
        given = data.get("text") if isinstance(data, dict) else data
    if given is None:
        raise fail("There is no text: none is set and the data has no text.")
    return given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def reach(value: Any, path: str) -> Any:
    """Return what a path such as ``customer.city`` or ``lines.0`` leads to, `MISSING` where it leads nowhere.

    An empty path is the value itself; a member whose name has dots in it is found as well.
    """
    if not path:
        return value
    if isinstance(value, dict) and path in value:
        return value[path]
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def added(payload: Payload, **members: Any) -> Payload:
    """Return the payload with members added to its data; data that is no object is replaced."""
    base = payload.data if isinstance(payload.data, dict) else {}
    return Payload({**base, **members}, payload.history)


def succeed(payload: Payload, **members: Any) -> Result:
    """Return a success with members added to the data."""
    return Result({"success": added(payload, **members)})
