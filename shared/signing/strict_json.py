"""Parses JSON that was signed: what two parsers could read differently is refused instead of guessed."""

from __future__ import annotations

import json
from itertools import accumulate
from typing import Any

import msgspec

from shared.errors import ErrorCode, FloworkError

MAX_SAFE_INTEGER = 2**53

_PLAIN = bytes(set(range(256)) - set(b'"[]{}'))
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # 1 and -1 as signed bytes
_PIECE = 65_536
_CUTS = 3
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 16
_MOST_TEXTS = 16


def parse_object(raw: bytes, *, max_depth: int = 64) -> dict[str, Any]:
    """Return the JSON object that the bytes hold; the object itself is depth 1.

    Raises `FloworkError` INVALID_REQUEST for bad UTF-8, bad JSON, a duplicate key, NaN or Infinity, a number
    beyond a double, an integer beyond ±2^53, a lone surrogate, too much depth, and anything but an object.
    """
    check_depth(raw, max_depth)
    return parse_measured(raw)


def parse_list(raw: bytes, *, max_depth: int = 64) -> list[Any]:
    """Return the JSON array that the bytes hold; refuses what `parse_object` refuses."""
    check_depth(raw, max_depth - 1)
    found = parse_measured(b'{"list":' + raw + b"}")
    items = found.get("list")
    if len(found) != 1 or not isinstance(items, list):
        raise _refusal("a JSON array is expected")
    return items


def check_depth(raw: bytes, max_depth: int) -> None:
    """Raise INVALID_REQUEST if the bytes open more than ``max_depth`` brackets inside each other.

    To be called before any decoder sees foreign bytes: msgspec recurses in C and knows only Python's recursion limit,
    so that where this was raised, or on a small stack, deep input ends the whole process.
    """
    if len(raw) > max_depth and _is_deeper(raw, max_depth):
        raise _refusal(f"it is nested deeper than {max_depth} levels")


def parse_measured(raw: bytes) -> dict[str, Any]:
    """Do what `parse_object` does, for bytes whose depth was checked before."""
    try:
        value = msgspec.json.decode(raw)
        if not isinstance(value, dict):
            raise _refusal("a JSON object is expected")
        return value if _is_plain(raw, value) else _parse_carefully(raw)
    except UnicodeError as error:
        raise _refusal("it is not UTF-8 text") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise _refusal(str(error)) from error


def _is_deeper(raw: bytes, max_depth: int) -> bool:
    """Tell how it is for JSON and, where it stops being JSON, up to that place; no step is Python per byte of text."""
    text = raw.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in raw else raw
    bare = text.translate(None, _PLAIN)
    if bare.count(b"{") + bare.count(b"[") <= max_depth:
        return False
    # What is left is quotes and brackets. Taking out quotes in pairs keeps each bracket inside or outside of texts.
    steps = b"".join(bare.replace(b'""', b"").split(b'"')[::2]).translate(_STEPS)
    left = steps
    for taken in range(_CUTS + 1):
        # What is left is no deeper than it has openings; without its innermost pairs it is one level lower at most.
        if taken + left.count(b"\x01") <= max_depth:
            return False
        left = left.replace(b"\x01\xff", b"")
    depth = 0
    for start in range(0, len(steps), _PIECE):
        depths = list(accumulate(memoryview(steps[start : start + _PIECE]).cast("b"), initial=depth))
        if max(depths) > max_depth:
            return True
        depth = depths[-1]
    return False


def _refusal(problem: str) -> FloworkError:
    return FloworkError(ErrorCode.INVALID_REQUEST, f"The message is not acceptable JSON: {problem}.")


def _is_plain(raw: bytes, value: dict[str, Any]) -> bool:
    """Tell whether writing the value again gives the same bytes, which excludes every ambiguity but size.

    A duplicate key would be gone, an escape or an exponent would be written differently. This is the fast way for
    compact JSON as programs write it; everything else takes the careful parser.
    """
    return not _may_hold_a_long_number(raw) and msgspec.json.encode(value) == raw


def _may_hold_a_long_number(raw: bytes) -> bool:
    """Tell whether so many digits stand together outside of texts; inside of hashes and signatures they often do.

    The bytes are known to be JSON. Where texts have escapes, or many have such digits, the answer is yes.
    """
    same = raw.translate(_DIGITS_TO_ZERO)
    at = same.find(_LONG_NUMBER)
    if at < 0:
        return False
    if b"\\" in raw:
        return True
    quotes = seen = 0
    for _ in range(_MOST_TEXTS):
        quotes += raw.count(b'"', seen, at)
        if quotes % 2 == 0:
            return True
        seen = raw.find(b'"', at) + 1  # behind the text that they stand in
        quotes += 1
        at = same.find(_LONG_NUMBER, seen)
        if at < 0:
            return False
    return True


def _parse_carefully(raw: bytes) -> dict[str, Any]:
    # Lone surrogates, NaN, Infinity and numbers beyond a double did not come past msgspec.
    value: dict[str, Any] = json.loads(raw.decode(), object_pairs_hook=_unique, parse_int=_safe_integer)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("an object has two members of the same name")
    return members


def _safe_integer(text: str) -> int:
    number = int(text) if len(text) <= 17 else MAX_SAFE_INTEGER + 1
    if abs(number) > MAX_SAFE_INTEGER:
        raise ValueError("an integer lies beyond ±2^53")
    return number
