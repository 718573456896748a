"""The spellings in which a secret must not be shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

SHORTEST = 6
"""Shorter values stand in too many innocent texts to be masked everywhere."""


def hidden_texts(values: Iterable[Any]) -> tuple[str, ...]:
    """Return every text that gives one of the values away: plain, in JSON, URL, base64 and hex; longest first."""
    found = {spelling for value in values for text in _texts(value) for spelling in _spellings(text)}
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


def _spellings(text: str) -> Iterator[str]:
    raw = text.encode("utf-8", "replace")
    yield text
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield quote(text, safe="", errors="replace")
    yield raw.hex()
    yield base64.b64encode(raw).decode("ascii").rstrip("=")
    yield base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")
