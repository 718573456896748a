"""REST requests that come over the link, for engines that no gateway can reach from outside."""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from core_engine.rest.exchange import RestAnswer, RestRequest, error_answer
from core_engine.rest.router import RestApi
from shared.contract.proxy import HEADERS, LARGEST_PART
from shared.errors import ErrorCode, FloworkError

MOST_WAITING = 32
"""Long answers of which the gateway has not fetched the rest; the oldest goes when there are more."""
LARGEST_BODY = 4 * 1024 * 1024


class LinkRequests:
    """Answers the gateway's ``engine_request``; a long body is handed out part by part, as it is asked for."""

    def __init__(self, api: RestApi) -> None:
        self._api = api
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    @property
    def handlers(self) -> Mapping[str, Callable[[Any], Awaitable[dict[str, Any]]]]:
        """The link's events and what answers them."""
        return {"engine_request": self.on_request, "engine_request_more": self.on_more}

    async def on_request(self, data: Any = None) -> dict[str, Any]:
        """Answer a request with the first part of its answer."""
        try:
            request_id, request = _read(data)
        except FloworkError as error:
            return self._first_part("", error_answer(error))
        return self._first_part(request_id, await self._api.handle(request))

    async def on_more(self, data: Any = None) -> dict[str, Any]:
        """Hand out a further part; an empty last one for an answer that is not kept any more."""
        fields = data if isinstance(data, Mapping) else {}
        request_id, offset = fields.get("id"), fields.get("offset")
        body = self._bodies.get(request_id) if isinstance(request_id, str) else None
        if body is None or not isinstance(offset, int) or not 0 <= offset <= len(body):
            return {"body": "", "next": None, "gone": True}
        part, following = _part(body, offset)
        if following is None:
            self._bodies.pop(str(request_id), None)
        return {"body": part, "next": following}

    def _first_part(self, request_id: str, answer: RestAnswer) -> dict[str, Any]:
        part, following = _part(answer.body, 0)
        if following is not None:
            self._bodies[request_id] = answer.body
            while len(self._bodies) > MOST_WAITING:
                self._bodies.popitem(last=False)
        return {
            "status": answer.status,
            "headers": dict(answer.headers),
            "media": answer.media,
            "body": part,
            "next": following,
        }


def _part(body: bytes, offset: int) -> tuple[str, int | None]:
    end = offset + LARGEST_PART
    return base64.b64encode(body[offset:end]).decode("ascii"), end if end < len(body) else None


def _read(data: Any) -> tuple[str, RestRequest]:
    fields = data if isinstance(data, Mapping) else {}
    request_id, method, path = (fields.get(name) for name in ("id", "method", "path"))
    query, headers, body, user = (fields.get(name) for name in ("query", "headers", "body", "user"))
    texts = all(isinstance(text, str) for text in (request_id, method, path))
    if not texts or not isinstance(body, str | None) or not isinstance(user, str | None):
        raise _malformed()
    if body and len(body) > LARGEST_BODY * 4 // 3 + 4:
        raise FloworkError(ErrorCode.TOO_LARGE, "The request's body is too large.")
    return str(request_id), RestRequest(
        method=str(method),
        path=str(path),
        query=_texts(query),
        headers={name: text for name, text in _texts(headers).items() if name in HEADERS},
        body=_decoded(body or ""),
        user=user,
    )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise _malformed() from error


def _malformed() -> FloworkError:
    return FloworkError(ErrorCode.INVALID_REQUEST, "The gateway's request does not have the agreed shape.")


def _texts(value: Any) -> dict[str, str]:
    items = value.items() if isinstance(value, Mapping) else ()
    return {name: text for name, text in items if isinstance(name, str) and isinstance(text, str)}
