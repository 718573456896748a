"""What a saved workflow may be called. A name is a key in the database and never part of a path."""

from __future__ import annotations

import unicodedata

from shared.errors import ErrorCode, FloworkError

LONGEST = 120
_REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DIRECTIONS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(name: str) -> str:
    """Return the one spelling (Unicode NFC, no space around) of a name; raises INVALID_REQUEST for an unusable one."""
    cleaned = unicodedata.normalize("NFC", name).strip()
    # Most names are ASCII, in which nothing that is printable is refused.
    plain = cleaned.isascii() and cleaned.isprintable()
    if not plain and any(unicodedata.category(sign) in _REFUSED or sign in _DIRECTIONS for sign in cleaned):
        raise _refusal("It must not contain control characters.")
    if not cleaned or len(cleaned) > LONGEST:
        raise _refusal(f"It must have 1 to {LONGEST} characters.")
    return cleaned


def _refusal(problem: str) -> FloworkError:
    return FloworkError(
        ErrorCode.INVALID_REQUEST,
        f"The preset's name cannot be used. {problem}",
        details=[{"field": "name", "problem": problem}],
    )
