"""What a web server answered, and how its body is read."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import msgspec

from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import check_depth


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a server answered; ``body`` is parsed JSON, a text, or base64 when it is neither.

    ``file`` (``path``, ``sha256``) is set when the body went into a file, ``pages`` when several were asked for.
    """

    status: int
    reason: str
    url: str
    headers: dict[str, str]
    body: Any
    size_bytes: int
    elapsed_ms: float = 0.0
    file: dict[str, str] | None = None
    pages: int | None = None
    more_pages: bool = False

    @property
    def url_shown(self) -> str:
        """The address without its query, for log lines."""
        return self.url.partition("?")[0]

    def to_wire(self) -> dict[str, Any]:
        """Return the answer as data of a payload."""
        data: dict[str, Any] = {
            "status": self.status, "reason": self.reason, "url": self.url, "headers": self.headers,
            "body": self.body, "size_bytes": self.size_bytes, "elapsed_ms": self.elapsed_ms,
        }  # fmt: skip
        if self.file is not None:
            data["file"] = self.file
        if self.pages is not None:
            data |= {"pages": self.pages, "more_pages": self.more_pages}
        return data


def read_body(content: bytes, kind: str, content_type: str, charset: str | None) -> Any:
    """Return a body as the settings ask; raises FloworkError COMPONENT_FAILED when it cannot be."""
    match kind:
        case "base64":
            return base64.b64encode(content).decode()
        case "text":
            return _text(content, charset, "replace")
        case "json":
            return _json(content)
    return _guess(content, content_type, charset) if content else None


def pick(value: Any, path: str) -> Any:
    """Return the member at a path like ``result.items`` or ``pages[0].next``, None when there is none."""
    for part in path.replace("[", ".").replace("]", "").split("."):
        if not part:
            continue
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and len(part) < 10 and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _json(content: bytes) -> Any:
    try:
        check_depth(content, MAX_DEPTH)
        return msgspec.json.decode(content)
    except (FloworkError, msgspec.DecodeError, UnicodeError) as error:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, f"The answer is not JSON: {error}.") from error


def _text(content: bytes, charset: str | None, errors: str) -> str:
    try:
        return content.decode(charset or "utf-8", errors)
    except LookupError:
        return content.decode("utf-8", errors)


def _guess(content: bytes, content_type: str, charset: str | None) -> Any:
    if content_type == "application/json" or content_type.endswith("+json"):
        try:
            return _json(content)
        except FloworkError:
            pass  # not what it claims to be: handed on as a text
    try:
        return _text(content, charset, "strict")
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()
