"""The ways of writing texts: pure calculation."""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from core_engine.kernel.payload import MAX_DEPTH
from shared.signing import strict_json

Format = Literal["base64", "base64url", "hex", "url", "html", "json"]


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ValueError("the bytes in it are not a text in UTF-8") from error


def _from_base64(text: str, *, url: bool) -> str:
    compact = "".join(text.split()).rstrip("=")
    padded = compact + "=" * (-len(compact) % 4)
    return _text(base64.b64decode(padded, altchars=b"-_" if url else None, validate=True))


def _from_url(text: str) -> str:
    return _text(urllib.parse.unquote_to_bytes(text.replace("+", " ")))


def _from_json(text: str) -> Any:
    content = _raw(text)
    strict_json.check_depth(content, MAX_DEPTH)
    return msgspec.json.decode(content)


ENCODERS: dict[Format, Callable[[Any], str]] = {
    "base64": lambda text: base64.b64encode(_raw(text)).decode("ascii"),
    "base64url": lambda text: base64.urlsafe_b64encode(_raw(text)).decode("ascii").rstrip("="),
    "hex": lambda text: _raw(text).hex(),
    "url": lambda text: urllib.parse.quote(_raw(text), safe=""),
    "html": lambda text: html.escape(text, quote=True),
    "json": lambda value: json.dumps(value, ensure_ascii=False),
}
DECODERS: dict[Format, Callable[[str], Any]] = {
    "base64": lambda text: _from_base64(text, url=False),
    "base64url": lambda text: _from_base64(text, url=True),
    "hex": lambda text: _text(bytes.fromhex(text)),
    "url": _from_url,
    "html": html.unescape,
    "json": _from_json,
}
