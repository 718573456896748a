"""Makes text of others harmless before a terminal gets it: no escape sequence, no hidden direction change."""

from __future__ import annotations

import json
import re
from typing import Any
from unicodedata import category

_UNUSUAL = re.compile(r"[^\n\t -~]")
# Controls, invisible and direction-changing characters, lone surrogates, line and paragraph separators.
_DANGEROUS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BREAKS = re.compile(r"[\t\n]")
ELLIPSIS = "…"


def printable(text: str, *, limit: int = 2000) -> str:
    """Return the text on one line, control characters shown as escapes, cut to a number of characters."""
    return _BREAKS.sub(" ", printable_lines(text, limit=limit))


def printable_lines(text: str, *, limit: int = 20_000) -> str:
    """Return the text with its line breaks and tabs kept and every other control character as an escape."""
    cut = text if len(text) <= limit else text[:limit] + ELLIPSIS
    return _UNUSUAL.sub(_escape, cut.replace("\r\n", "\n"))


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """Return a value as JSON that a terminal can show: the same value, dangerous characters as escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _UNUSUAL.sub(_escape_json, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if category(match[0]) not in _DANGEROUS:
        return match[0]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape_json(match: re.Match[str]) -> str:
    if category(match[0]) not in _DANGEROUS:
        return match[0]
    return f"\\u{ord(match[0]):04x}" if ord(match[0]) < 0x10000 else json.dumps(match[0])[1:-1]
