"""Passes REST operations on to the caller's engine over its link, and the answers back, part by part."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any, TypeVar

from flask import Request, Response
from pydantic import BaseModel, ValidationError

from gateway.context import Context
from gateway.realtime.engine_choice import EngineChoice
from gateway.web.answer_cache import CachedAnswer
from gateway.web.target import request_target
from shared.contract.proxy import (
    HEADERS,
    EngineAnswer,
    EngineMore,
    EngineOperation,
    EnginePart,
    EngineRequest,
)
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id
from shared.tracing import TRACEPARENT

ANSWER_SECONDS = 30.0
PASSED = HEADERS - {TRACEPARENT}
LARGEST_ANSWER = 64 * 1024 * 1024
RETURNED = ("ETag", "Retry-After")
MEDIA = frozenset(
    {"application/json", "image/svg+xml", "image/png", "image/jpeg", "image/webp", "text/plain"}
)
ModelT = TypeVar("ModelT", bound=BaseModel)


class EngineProxy:
    """The way to an engine's own operations; neither signatures nor cookies go along, only the verified address.

    Which engine: the one that ``X-Flowork-Engine-ID`` names, if the caller may use it, else a live one of theirs.
    A public operation goes to the engine in ``?engine_id=``, else to the bundled one, and its answer is kept for
    a moment.
    """

    def __init__(self, context: Context) -> None:
        self._links = context.links
        self._presence = context.presence
        self._choice = EngineChoice(context.database, context.presence)
        self._bundled = context.bundled_engine
        self._cache = context.answers
        self._tracing = context.tracing

    def answer(
        self, operation: EngineOperation, caller: str | None, request: Request, body: bytes, **_: str
    ) -> Response:
        """Ask the engine; raises ENGINE_UNAVAILABLE or NOT_FOUND, what the engine refuses comes back as it is."""
        path = request_target(request.environ).partition("?")[0]
        return self.pass_on(operation, path, caller, request, body)

    def pass_on(
        self, operation: EngineOperation, path: str, caller: str | None, request: Request, body: bytes
    ) -> Response:
        """Ask the engine for a path of its own; raises as `answer`."""
        engine_id = self._public_engine(request) if caller is None else self._engine_of(caller, request)
        asked = _asked(operation, path, caller, request, body)
        if caller is not None:
            with self._tracing.passing(operation.name, request.headers.get(TRACEPARENT)) as passing:
                passing.engine = engine_id
                answer = self._ask(engine_id, _joined(asked, passing.traceparent))
            return self._response(engine_id, asked, answer)
        key = f"{engine_id} {asked.path} {sorted(asked.query.items())}"
        kept = self._cache.get(key)
        if kept is None:
            answer = self._ask(engine_id, asked.model_copy(update={"headers": {}}))
            if answer.status != 200 or answer.next is not None:
                return self._response(engine_id, asked, answer)
            kept = CachedAnswer(answer.body, _media(answer.media), answer.headers.get("ETag", ""))
            self._cache.put(key, kept)
        return kept.response(request.headers.get("If-None-Match", ""))

    def _engine_of(self, caller: str, request: Request) -> str:
        wanted = request.headers.get("X-Flowork-Engine-ID")
        return self._choice.choose(caller, wanted, None).link.engine_id

    def _public_engine(self, request: Request) -> str:
        engine_id = request.args.get("engine_id") or self._bundled
        if not engine_id or not self._presence.is_online(engine_id):
            raise FloworkError(ErrorCode.NOT_FOUND, "Not Found")
        return engine_id

    def _ask(self, engine_id: str, asked: EngineRequest) -> EngineAnswer:
        told = self._links.ask(engine_id, "engine_request", asked.model_dump(), seconds=ANSWER_SECONDS)
        return _read(EngineAnswer, told)

    def _response(self, engine_id: str, asked: EngineRequest, answer: EngineAnswer) -> Response:
        parts = self._parts(engine_id, asked.id, answer)
        content: Any = parts if answer.next is not None else answer.body
        response = Response(content, status=answer.status, content_type=_media(answer.media))
        for name in RETURNED:
            if name in answer.headers:
                response.headers[name] = answer.headers[name]
        if answer.status in {204, 304}:
            del response.headers["Content-Type"]
        return response

    def _parts(self, engine_id: str, request_id: str, answer: EngineAnswer) -> Iterator[bytes]:
        """Yield a body, fetching each further part when the last one was taken; ends early if the engine goes."""
        yield answer.body
        offset = answer.next
        while offset is not None and offset < LARGEST_ANSWER:
            more = EngineMore(id=request_id, offset=offset).model_dump()
            part = _read(
                EnginePart, self._links.ask(engine_id, "engine_request_more", more, seconds=ANSWER_SECONDS)
            )
            if part.gone:
                raise FloworkError(
                    ErrorCode.ENGINE_UNAVAILABLE, "The engine ended in the middle of its answer."
                )
            yield part.body
            offset = part.next if part.next is None or part.next > offset else None


def _asked(
    operation: EngineOperation, path: str, caller: str | None, request: Request, body: bytes
) -> EngineRequest:
    return EngineRequest(
        id=new_id(),
        method=operation.method,
        path=path,
        query={name: value for name, value in request.args.items() if name != "engine_id"},
        headers={name: request.headers[name] for name in sorted(PASSED) if name in request.headers},
        body=base64.b64encode(body).decode("ascii"),
        user=caller,
    )


def _joined(asked: EngineRequest, traceparent: str | None) -> EngineRequest:
    headers = {TRACEPARENT: traceparent} if traceparent else {}
    return asked.model_copy(update={"headers": asked.headers | headers})


def _media(media: str) -> str:
    """Return the media type of an answer; what a browser could run is sent as what it cannot."""
    return media if media.partition(";")[0] in MEDIA else "application/octet-stream"


def _read(model: type[ModelT], told: Any) -> ModelT:
    try:
        return model.model_validate(told)
    except ValidationError as error:
        message = "The engine gave no answer that this gateway understands; it may be of an older version."
        raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, message) from error
