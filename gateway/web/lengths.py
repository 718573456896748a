"""Where a request ends: one that a proxy before us could end elsewhere is refused, whichever server read it."""

from __future__ import annotations

from typing import Any

MOST_DIGITS = 18
"""Of a length that is read at all: it is more than anybody takes, and no work to compare."""


def unclear_length(environ: dict[str, Any]) -> str:
    """Return why a request's length can be read in two ways, else an empty text."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return "The Content-Length is not a number."
    if len(length) > MOST_DIGITS:
        return "The Content-Length is too long to be one."
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() not in {"", "identity", "chunked"}:
        return "The only Transfer-Encoding read here is chunked."
    return ""
