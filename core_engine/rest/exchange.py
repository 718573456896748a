"""One REST request and its answer, whichever way they travel."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import BaseModel

from shared.contract.base import Role
from shared.errors import FloworkError
from shared.tracing import TRACEPARENT, read_traceparent

JSON = "application/json"
_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class RestCaller:
    """In whose name the gateway asks: an address in lower case, and its role on this engine."""

    address: str
    role: Role


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A request for an operation: ``path`` starts with ``/api/v1/``, ``headers`` have lower-case names.

    ``user`` is the address the gateway verified, None for a public request.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: str | None = None

    @property
    def traceparent(self) -> str | None:
        """The trace that the request says it belongs to, if it says so in the right form."""
        given = read_traceparent(self.headers.get(TRACEPARENT))
        return given.traceparent if given else None


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """What goes back: a status, a body and its media type."""

    status: int = 200
    body: bytes = b""
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200) -> RestAnswer:
    """Answer with a JSON value; models are written by their wire names."""
    return RestAnswer(status, _ENCODE(plain(value)))


def plain(value: Any) -> Any:
    """Return models as the objects they are on the wire, also inside lists."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def error_answer(error: FloworkError) -> RestAnswer:
    """Answer with the documented error body."""
    headers = {} if error.retry_after is None else {"Retry-After": str(max(1, round(error.retry_after)))}
    return RestAnswer(error.meaning.http, _ENCODE(error.as_http_body()), JSON, headers)


def tagged(request: RestRequest, answer: RestAnswer) -> RestAnswer:
    """Give a good answer to a GET an entity tag, and answer 304 to whoever has that version already."""
    if request.method != "GET" or answer.status != 200:
        return answer
    tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
    headers = {**answer.headers, "ETag": tag}
    known = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    if tag in known:
        return RestAnswer(304, b"", answer.media, headers)
    return RestAnswer(answer.status, answer.body, answer.media, headers)
