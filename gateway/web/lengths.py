"""Where a request ends: one that a proxy before us could end elsewhere is refused, with all that follows it."""

from __future__ import annotations

from typing import Any


def unclear_length(environ: dict[str, Any]) -> str:
    """Return why a request's length can be read in two ways, else an empty text."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not (length.isascii() and length.isdigit()):
        return "The Content-Length is not a number."
    if environ.get("HTTP_TRANSFER_ENCODING", "").lower() not in {"", "identity", "chunked"}:
        return "The only Transfer-Encoding read here is chunked."
    # eventlet keeps every header as it came, and itself takes one of several lengths.
    names = [str(name).lower() for name, _ in environ.get("headers_raw", ())]
    if any(names.count(name) > 1 for name in ("content-length", "transfer-encoding")):
        return "The request says more than once how long it is."
    return ""
