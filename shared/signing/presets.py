"""Signed presets: the one text of a workflow that JavaScript and Python write alike (protocol §2.6)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import Signer
from shared.signing.recover import recover_text

MAX_DEPTH = 100

_SAFE_INTEGER = 2**53
_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
_LAST_INDEX = 2**32 - 2
_SURROGATE = re.compile("[\ud800-\udfff]")


def canonical_json(value: Any) -> str:
    """Return what JavaScript's ``JSON.stringify`` writes for a value whose object keys were sorted.

    Keys that look like array indices come first in numeric order, the others by UTF-16 code units; numbers are
    written as ECMAScript writes them; non-ASCII characters stay as they are. Raises INVALID_REQUEST for what is
    not JSON, for NaN and Infinity, for integers beyond a double and for more than `MAX_DEPTH` levels.
    """
    return _write(value, MAX_DEPTH)


def preset_text(workflow_data: Mapping[str, Any]) -> str:
    """Return the text that is signed for a preset."""
    return canonical_json({"workflow_data": workflow_data})


def sign_preset(signer: Signer, workflow_data: Mapping[str, Any]) -> str:
    """Return the author's signature over a preset's workflow."""
    return signer.sign_text(preset_text(workflow_data))


def recover_preset(workflow_data: Mapping[str, Any], signature: str) -> str:
    """Return the address, in lower case, that signed this workflow; compare it with the expected author.

    Raises BAD_SIGNATURE, or INVALID_REQUEST where the workflow has no canonical form.
    """
    return recover_text(preset_text(workflow_data), signature)


def _write(value: Any, depth: int) -> str:
    if depth == 0:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"A preset is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, Mapping):
        members = (f"{_write_text(key)}:{_write(value[key], depth - 1)}" for key in sorted(value, key=_rank))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_write(item, depth - 1) for item in value) + "]"
    return _write_scalar(value)


def _write_scalar(value: Any) -> str:
    if isinstance(value, str):
        return _write_text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) and abs(value) <= _SAFE_INTEGER:
        return str(value)
    if isinstance(value, int | float):
        return _write_number(value)
    raise FloworkError(ErrorCode.INVALID_REQUEST, f"A preset cannot hold a {type(value).__name__}.")


def _rank(key: Any) -> tuple[int, int, bytes]:
    if not isinstance(key, str):
        raise FloworkError(ErrorCode.INVALID_REQUEST, "The member names of a preset must be texts.")
    if _INDEX.fullmatch(key) and int(key) <= _LAST_INDEX:
        return 0, int(key), b""
    return 1, 0, key.encode("utf-16-be", "surrogatepass")


def _write_text(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", written)


def _write_number(value: float) -> str:
    """Write a number by ECMAScript's Number::toString, whose digits are those of Python's repr."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FloworkError(ErrorCode.INVALID_REQUEST, "A preset cannot hold NaN, Infinity or larger numbers.")
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The value is 0.<digits> times ten to the power of point.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    return sign + _place_point(digits.rstrip("0"), point)


def _place_point(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"
