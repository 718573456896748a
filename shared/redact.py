"""Takes secrets out of what is about to be logged or shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

MASK = "•••"
_SECRET_NAME = re.compile(
    r"token|secret|password|passphrase|private[_-]?key|mnemonic|api[_-]?key|authorization|signature|cookie|claim",
    re.IGNORECASE,
)
_SECRET_SHAPE = re.compile(
    r"dev_engine_[0-9a-f]{32}|flork_sec_[0-9a-f]{16,}|0x[0-9a-fA-F]{130}|Bearer\s+[\w.~+/=-]+"
    r"|(?<=claim=)[\w-]{8,}|(?<![0-9a-fA-Fx])0x[0-9a-fA-F]{64}(?![0-9a-fA-F])"
)


_SHORTEST = 8
"""How long a text is at least in which any secret stands."""
_SHORTEST_HEX = 66
"""How long a text is at least in which a key or a signature stands: an address is none."""


def redact_text(text: str) -> str:
    """Mask tokens, shared secrets, private keys and signatures that stand anywhere in the text."""
    if len(text) < _SHORTEST:
        return text
    # No secret is without one of these, and looking for them takes a tenth of the expression's time.
    if (
        (len(text) >= _SHORTEST_HEX and "0x" in text)
        or "Bearer" in text
        or ("=" in text and "claim=" in text)
        or ("_" in text and ("dev_engine_" in text or "flork_sec_" in text))
    ):
        return _SECRET_SHAPE.sub(MASK, text)
    return text


@lru_cache(maxsize=1024)
def _names_a_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def redact(value: Any) -> Any:
    """Return a copy of a JSON value in which secret-named members and secret-shaped texts are masked."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, (dict, Mapping)):
        return {
            key: MASK
            if isinstance(key, str) and _names_a_secret(key) and item
            else redact_text(item)
            if isinstance(item, str)
            else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(item) for item in value]
    return value
