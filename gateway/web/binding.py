"""Binds routes to Flask: proof, body, handler and answer of every operation go through here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response
from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from gateway.realtime.frames import invalid
from gateway.web.answers import JSON, Reply, Written
from gateway.web.limits import RateLimits
from gateway.web.proof import Proof
from gateway.web.routing import Answer, Route
from shared.contract.proxy import EngineOperation, ForwardOperation
from shared.contract.session_keys import session_scope
from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import parse_list, parse_object


def bind(app: Flask, routes: list[Route], proof: Proof, limits: RateLimits, max_bytes: int) -> None:
    """Give each route its path, method and view; ``max_bytes`` bounds what a body may be."""
    # One more than that is read, to tell a body that ends there from one in chunks that goes on.
    app.config["MAX_CONTENT_LENGTH"] = max_bytes + 1
    for found in routes:
        app.add_url_rule(
            found.rule,
            endpoint=found.operation.name,
            view_func=_view(found, proof, limits, max_bytes),
            methods=[found.operation.method],
            provide_automatic_options=False,
        )


class _Answers:
    """Writes what an operation answers, as it is declared; what that takes is built for the first answer."""

    def __init__(self, declared: Any) -> None:
        self._declared = declared
        self._adapter: TypeAdapter[Any] | None = None

    def write(self, value: Any) -> bytes:
        """Return a value as JSON; raises ValidationError where it is not what is declared."""
        adapter = self._adapter
        if adapter is None:
            adapter = self._adapter = TypeAdapter(self._declared)
        # The adapter's own methods pass a dozen settings on, none of which is set.
        written: bytes = adapter.serializer.to_json(adapter.validator.validate_python(value))
        return written


def _view(found: Route, proof: Proof, limits: RateLimits, max_bytes: int) -> Callable[..., Reply]:
    operation = found.operation
    answer, takes_request = _Answers(operation.response), found.takes_request
    scope = session_scope(operation)

    def view(request: Request, /, **parameters: Any) -> Reply:
        body = _body(request, max_bytes)
        try:
            caller = proof.check(operation.auth, request, body, scope=scope)
        except FloworkError:
            limits.refuse(request)
            raise
        limits.admit(operation, caller, request)
        if isinstance(operation, EngineOperation | ForwardOperation):
            passed: Response = found.handler(caller, request, body, **parameters)
            return passed
        if caller is not None:
            parameters["caller"] = caller
        if operation.body is not None:
            parameters["body"] = _read(operation.body, request, body)
        if operation.query is not None:
            parameters["query"] = _validated(operation.query, request.args.to_dict())
        if takes_request:
            parameters["request"] = request
        given = found.handler(**parameters)
        if isinstance(given, Response):
            return given
        status = given.status if isinstance(given, Answer) else operation.status
        return Written(answer.write(given.value if isinstance(given, Answer) else given), status)

    return view


def _body(request: Request, max_bytes: int) -> bytes:
    environ = request.environ
    if "CONTENT_LENGTH" not in environ and "HTTP_TRANSFER_ENCODING" not in environ:
        return b""  # a request without either has none (RFC 9112, section 6.3)
    try:
        body = request.get_data(cache=False)
    except (HTTPException, OSError):  # told already, or how the servers learn that the client is gone
        raise
    except Exception as error:
        raise BadRequest from error
    if len(body) > max_bytes:
        raise RequestEntityTooLarge
    return body


def _read(model: type[BaseModel], received: Request, body: bytes) -> BaseModel:
    if received.mimetype != JSON or received.headers.get("Content-Encoding", "identity") != "identity":
        raise FloworkError(ErrorCode.UNSUPPORTED_MEDIA, f"Send the body as {JSON}, not encoded otherwise.")
    return _validated(model, parse_list(body) if issubclass(model, RootModel) else parse_object(body))


def _validated(model: type[BaseModel], value: Any) -> BaseModel:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(error) from error
