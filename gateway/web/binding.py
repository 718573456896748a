"""Binds routes to Flask: proof, body, handler and answer of every operation go through here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response, request
from pydantic import BaseModel, TypeAdapter, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from gateway.realtime.frames import invalid
from gateway.web.proof import Proof
from gateway.web.routing import Route
from shared.contract.base import Incoming
from shared.contract.proxy import EngineOperation
from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import parse_object

JSON = "application/json"


def bind(app: Flask, routes: list[Route], proof: Proof, max_bytes: int) -> None:
    """Give each route its path, method and view; ``max_bytes`` bounds what a body may be."""
    # One more than that is read, to tell a body that ends there from one in chunks that goes on.
    app.config["MAX_CONTENT_LENGTH"] = max_bytes + 1
    for found in routes:
        app.add_url_rule(
            found.rule,
            endpoint=found.operation.name,
            view_func=_view(found, proof, max_bytes),
            methods=[found.operation.method],
            provide_automatic_options=False,
        )


def _view(found: Route, proof: Proof, max_bytes: int) -> Callable[..., Response]:
    operation = found.operation
    answer: TypeAdapter[Any] = TypeAdapter(operation.response)

    def view(**parameters: Any) -> Response:
        body = request.get_data(cache=False)
        if len(body) > max_bytes:
            raise RequestEntityTooLarge
        caller = proof.check(operation.auth, request, body)
        if isinstance(operation, EngineOperation):
            passed: Response = found.handler(caller, request, body)
            return passed
        if caller is not None:
            parameters["caller"] = caller
        if operation.body is not None:
            parameters["body"] = _read(operation.body, request, body)
        if operation.query is not None:
            parameters["query"] = _validated(operation.query, request.args.to_dict())
        given = found.handler(**parameters)
        if isinstance(given, Response):
            return given
        result = answer.validate_python(given)
        return Response(answer.dump_json(result), status=operation.status, content_type=JSON)

    return view


def _read(model: type[Incoming], received: Request, body: bytes) -> BaseModel:
    if received.mimetype != JSON or received.headers.get("Content-Encoding", "identity") != "identity":
        raise FloworkError(ErrorCode.UNSUPPORTED_MEDIA, f"Send the body as {JSON}, not encoded otherwise.")
    return _validated(model, parse_object(body))


def _validated(model: type[Incoming], value: Any) -> BaseModel:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(error) from error
