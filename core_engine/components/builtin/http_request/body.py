"""The body of a request, made anew for every time it is sent."""

from __future__ import annotations

import base64
import binascii
import json
from contextlib import ExitStack
from typing import Any, BinaryIO

import aiohttp
import msgspec
from multidict import CIMultiDict

from core_engine.components.builtin.http_request.config import HttpConfig
from core_engine.components.fields import NamedValue, typed_values
from core_engine.components.files import open_regular
from core_engine.kernel.context import Files
from shared.errors import ErrorCode, FloworkError

_TYPES = {
    "json": "application/json", "text": "text/plain; charset=utf-8", "raw": "application/octet-stream",
}  # fmt: skip

Body = bytes | aiohttp.FormData | BinaryIO | None


def make_body(config: HttpConfig, files: Files, headers: CIMultiDict[str], opened: ExitStack) -> Body:
    """Return the body and name its type in the headers; files that are sent are closed by ``opened``.

    Raises FloworkError INVALID_REQUEST, FORBIDDEN, NOT_FOUND.
    """
    if config.body_kind in _TYPES and "Content-Type" not in headers:
        headers["Content-Type"] = _TYPES[config.body_kind]
    match config.body_kind:
        case "json":
            return _json_body(config.body)
        case "text":
            return (config.body if isinstance(config.body, str) else json.dumps(config.body)).encode()
        case "form":
            return aiohttp.FormData(texts(config.form_fields))
        case "multipart":
            return _multipart(config, files, opened)
        case "raw":
            return _raw(config, files, opened)
    return None


def texts(values: list[NamedValue]) -> dict[str, str]:
    """Return named values as texts; raises FloworkError INVALID_REQUEST naming a value that does not fit its type."""
    try:
        typed = typed_values(values)
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, str(error)) from error
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in typed.items()}


def _json_body(body: Any) -> bytes:
    if not isinstance(body, str):
        return msgspec.json.encode(body)
    try:
        json.loads(body)
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"The body is not JSON: {error}.") from error
    return body.encode()


def _multipart(config: HttpConfig, files: Files, opened: ExitStack) -> aiohttp.FormData:
    made = aiohttp.FormData(default_to_multipart=True)
    for name, value in texts(config.form_fields).items():
        made.add_field(name, value)
    for part in config.form_files:
        path = files.readable(part.path)
        made.add_field(
            part.name, opened.enter_context(open_regular(path)),
            filename=part.filename or path.name, content_type=part.content_type,
        )  # fmt: skip
    return made


def _raw(config: HttpConfig, files: Files, opened: ExitStack) -> Body:
    if config.body_file:
        return opened.enter_context(open_regular(files.readable(config.body_file)))
    try:
        return base64.b64decode(config.body if isinstance(config.body, str) else "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "The body is not base64; raw sends a file or base64."
        ) from error
