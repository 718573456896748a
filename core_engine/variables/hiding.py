"""The spellings in which a secret must not be shown."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

_PERCENT = re.compile("%[0-9A-F]{2}")
SHORTEST = 6
"""Shorter values stand in too many innocent texts to be masked everywhere."""
SHORTEST_LINE = 12
"""So do shorter lines of a value of several lines, such as a private key's."""


def hidden_texts(values: Iterable[Any]) -> tuple[str, ...]:
    """Return every text that gives one of the values away: plain, in JSON, URL, base64 and hex; longest first.

    Of a value of several lines each line is hidden too: lines are what logs and tracebacks show.
    """
    found = {
        spelling
        for value in values
        for text in _texts(value)
        for part in (text, *_lines(text))
        for spelling in _spellings(part)
    }
    return tuple(sorted(found, key=lambda text: (-len(text), text)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) >= SHORTEST:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _texts(json.dumps(value))


def _lines(text: str) -> Iterator[str]:
    lines = text.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= SHORTEST_LINE)


def _spellings(text: str) -> Iterator[str]:
    raw = text.encode("utf-8", "replace")
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    quoted = quote(text, safe="", errors="replace")
    for escaped in (quoted, quote(text, errors="replace"), quote_plus(text, errors="replace")):
        yield escaped
        yield _PERCENT.sub(lambda found: found[0].lower(), escaped)
    yield raw.hex()
    yield raw.hex().upper()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode("ascii").rstrip("=")
        yield from (
            _inside(encode(b"\0" * before + raw).decode("ascii"), before, len(raw)) for before in range(3)
        )


def _inside(encoded: str, before: int, length: int) -> str:
    """Return the characters of a base64 text that say nothing of the bytes around the value.

    A value that stands in the middle of what was encoded (``name:value`` of a sign-in) looks different by where.
    """
    return encoded[(0, 2, 3)[before] : (before + length) * 8 // 6]
