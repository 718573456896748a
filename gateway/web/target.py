"""The target of a request exactly as it stood on the wire, which is what a bound signature covers."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

# Encoded slashes, backslashes, NUL and dots, and empty or dot segments: two parsers could read them differently.
_AMBIGUOUS = re.compile(r"%2f|%5c|%00|%2e|\\|//|/\.{1,2}(/|$)", re.IGNORECASE)


def request_target(environ: dict[str, Any]) -> str:
    """Return path and query as the client sent them, whichever server passes them on."""
    path, query = environ.get("RAW_PATH_INFO"), environ.get("QUERY_STRING")
    if path is not None:
        return str(path) if query is None else f"{path}?{query}"
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if isinstance(raw, str) and raw.startswith("/"):
        return raw
    path = quote(environ.get("PATH_INFO", "").encode("latin-1"), safe="/:@!$&'()*+,;=~-._")
    return f"{path}?{query}" if query else path


def is_ambiguous(environ: dict[str, Any]) -> bool:
    """Tell whether a proxy before us and we could disagree about the path."""
    return _AMBIGUOUS.search(request_target(environ).partition("?")[0]) is not None
