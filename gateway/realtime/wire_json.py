"""The JSON of Socket.IO packets, for `python-socketio`: fast, and without NaN, Infinity or endless nesting."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.errors import FloworkError
from shared.signing.strict_json import check_depth

MAX_DEPTH = 128


def dumps(value: Any, **_options: Any) -> str:
    """Return compact JSON; the options of the standard library's function are taken and not needed."""
    return msgspec.json.encode(value).decode()


def loads(text: str | bytes, **_options: Any) -> Any:
    """Return the value a text holds; raises ValueError for anything that is not JSON, or nested too deeply."""
    raw = text if isinstance(text, bytes) else text.encode()
    try:
        check_depth(raw, MAX_DEPTH)
        return msgspec.json.decode(raw)
    except (FloworkError, msgspec.DecodeError, UnicodeError) as error:
        raise ValueError(str(error)) from error
