"""The operations on texts: pure calculation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from core_engine.components.conditions import text as as_text
from core_engine.components.records import fail
from shared.errors import ErrorCode, FloworkError

Operation = Literal[
    "trim", "upper", "lower", "title", "sentence", "replace", "join", "split", "lines", "pad_start", "pad_end",
    "truncate", "slice", "slug", "one_line", "remove_accents", "reverse", "length",
]  # fmt: skip
_LARGEST = 64 * 1024 * 1024
_LETTERS = {
    "ß": "ss",
    "æ": "ae",
    "Æ": "AE",
    "ø": "o",
    "Ø": "O",
    "đ": "d",
    "Đ": "D",
    "ł": "l",
    "Ł": "L",
    "œ": "oe",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operations need; each uses its own part of it."""

    search: str = ""
    replacement: str = ""
    separator: str = ", "
    length: int = 80
    fill: str = " "
    start: int = 0
    end: int | None = None


def slug(text: str) -> str:
    """Return a text as small letters, digits and dashes; letters of other scripts stay."""
    plain = without_accents(without_accents(text).casefold())
    return re.sub(r"[\W_]+", "-", plain).strip("-")


def without_accents(text: str) -> str:
    """Return a text whose letters have lost their marks."""
    spelled = "".join(_LETTERS.get(sign, sign) for sign in text)
    parts = unicodedata.normalize("NFKD", spelled)
    return unicodedata.normalize("NFC", "".join(sign for sign in parts if not unicodedata.combining(sign)))


def truncate(text: str, length: int) -> str:
    """Return a text of at most ``length`` characters; one that was cut ends with an ellipsis."""
    if len(text) <= length:
        return text
    return f"{text[: length - 1].rstrip()}…" if length else ""


def _replace(text: str, wish: Wish) -> str:
    if not wish.search:
        raise fail("Replacing needs a text to search for.")
    if len(text) + text.count(wish.search) * len(wish.replacement) > _LARGEST:
        raise FloworkError(ErrorCode.TOO_LARGE, "The text becomes too large by replacing.")
    return text.replace(wish.search, wish.replacement)


def _join(items: list[Any], wish: Wish) -> str:
    return wish.separator.join("" if item is None else as_text(item) for item in items)


def _split(text: str, wish: Wish) -> list[str]:
    if not text:
        return []
    return text.split(wish.separator) if wish.separator else list(text)


def _pad(text: str, wish: Wish) -> str:
    missing = max(0, wish.length - len(text))
    return (wish.fill * missing)[:missing]


def _sentence(text: str, _wish: Wish) -> str:
    return text[:1].upper() + text[1:].lower()


def _title(text: str, _wish: Wish) -> str:
    """Unlike `str.title`, an apostrophe does not begin a word."""
    return re.sub(r"\w[\w'\u2019]*", lambda word: word[0][:1].upper() + word[0][1:].lower(), text)


OPERATIONS: dict[Operation, Callable[[Any, Wish], Any]] = {
    "trim": lambda text, _: text.strip(),
    "upper": lambda text, _: text.upper(),
    "lower": lambda text, _: text.lower(),
    "title": _title,
    "sentence": _sentence,
    "replace": _replace,
    "join": _join,
    "split": _split,
    "lines": lambda text, _: text.splitlines(),
    "pad_start": lambda text, wish: _pad(text, wish) + text,
    "pad_end": lambda text, wish: text + _pad(text, wish),
    "truncate": lambda text, wish: truncate(text, wish.length),
    "slice": lambda text, wish: text[wish.start : wish.end],
    "slug": lambda text, _: slug(text),
    "one_line": lambda text, _: " ".join(text.split()),
    "remove_accents": lambda text, _: without_accents(text),
    "reverse": lambda text, _: text[::-1],
    "length": lambda text, _: len(text),
}
