"""Values of a database as JSON, and JSON as values of a database."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_EXACT_INTEGERS = 2**53


def to_json(value: Any) -> Any:
    """Return a value as JSON.

    Times become ISO 8601 texts, bytes base64, intervals seconds; exact numbers stay numbers where a JSON number
    holds them exactly and become texts otherwise; what has no JSON form becomes a text.
    """
    match value:
        case None | bool() | str():
            return value
        case int() | float() | Decimal():
            return _number(value)
        case Mapping():
            return {str(key): to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item) for item in value]
    return _other(value)


def to_database(value: Any) -> Any:
    """Return a JSON value as a parameter: lists and objects become JSON texts."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _number(value: float | Decimal) -> int | float | str:
    if not math.isfinite(value):
        return str(value)
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if isinstance(value, float):
        return value
    if value == value.to_integral_value():
        return int(value) if abs(value) <= _EXACT_INTEGERS else str(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else str(value)


def _other(value: Any) -> Any:
    match value:
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case dt.timedelta():
            return value.total_seconds()
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(value).decode()
    return str(value)
