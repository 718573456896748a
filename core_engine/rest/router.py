"""Finds the handler of a request, asks for the role that the contract names, and reads the body it declares."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError

from core_engine.access.control import AccessControl
from core_engine.rest.exchange import RestAnswer, RestCaller, RestRequest, error_answer, json_answer, tagged
from shared.contract.proxy import EngineOperation
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address, new_id
from shared.signing.strict_json import parse_object

_log = logging.getLogger(__name__)
_MARK = "__flowork_rest__"
_PREFIX = "/api/v1"
_PARAMETER = re.compile(r"\{(\w+)\}")
Function = TypeVar("Function", bound=Callable[..., Any])
GatewayAccess = Literal["off", "read", "write"]


def answers(operation: EngineOperation) -> Callable[[Function], Function]:
    """Mark the coroutine method that answers an operation of the contract.

    It takes, by name and as far as it wants them: ``caller``, ``body``, ``request`` and the parameters of the path.
    """

    def mark(function: Function) -> Function:
        setattr(function, _MARK, operation)
        return function

    return mark


@dataclass(frozen=True, slots=True)
class _Route:
    operation: EngineOperation
    pattern: re.Pattern[str]
    handler: Callable[..., Awaitable[Any]]
    wants: frozenset[str]


class RestApi:
    """The engine's operations. ``allowed`` is how far the gateway is trusted to speak for users here."""

    def __init__(self, resources: Iterable[object], access: AccessControl, allowed: GatewayAccess) -> None:
        self._access = access
        self._allowed = allowed
        self._routes = [route for resource in resources for route in _routes_of(resource)]

    @property
    def operations(self) -> list[EngineOperation]:
        """Every operation that is answered."""
        return [route.operation for route in self._routes]

    async def handle(self, request: RestRequest) -> RestAnswer:
        """Answer a request; the one edge of this API: nothing of an exception reaches the caller."""
        try:
            return tagged(request, await self._answer(request))
        except FloworkError as error:
            return error_answer(error)
        except Exception:  # noqa: BLE001 - the edge
            incident = new_id()
            _log.exception("a REST request failed unexpectedly", extra={"incident": incident})
            text = "Internal Server Error"
            return error_answer(FloworkError(ErrorCode.INTERNAL, text, details={"incident": incident}))

    async def _answer(self, request: RestRequest) -> RestAnswer:
        route, parameters = self._find(request)
        operation = route.operation
        given: dict[str, Any] = dict(parameters)
        given["caller"] = self._caller(operation, request)
        given["request"] = request
        if operation.body is not None:
            given["body"] = _read(operation.body, request.body)
        result = await route.handler(**{name: value for name, value in given.items() if name in route.wants})
        return result if isinstance(result, RestAnswer) else json_answer(result, operation.status)

    def _find(self, request: RestRequest) -> tuple[_Route, dict[str, str]]:
        matching = [
            (route, found) for route in self._routes if (found := route.pattern.fullmatch(request.path))
        ]
        for route, found in matching:
            if route.operation.method == request.method:
                return route, {name: unquote(text) for name, text in found.groupdict().items()}
        if matching:
            raise FloworkError(
                ErrorCode.METHOD_NOT_ALLOWED, f"{request.path} does not take {request.method}."
            )
        raise FloworkError(ErrorCode.NOT_FOUND, "Not Found")

    def _caller(self, operation: EngineOperation, request: RestRequest) -> RestCaller | None:
        if operation.role is None:
            return None
        if self._allowed == "off" or (operation.writes and self._allowed != "write"):
            raise FloworkError(
                ErrorCode.FORBIDDEN,
                "This engine does not let its gateway do this in a user's name; its owner may set "
                "ENGINE_GATEWAY_ACCESS=write, or the command can be sent signed over a socket.",
                details={"gateway_access": self._allowed},
            )
        if request.user is None or not is_address(request.user):
            raise FloworkError(ErrorCode.UNAUTHENTICATED, "The request names no user.")
        address = request.user.lower()
        role = self._access.require_role(address)
        if role < operation.role:
            wanted = operation.role.name.lower()
            message = f"{operation.summary}: this needs the role {wanted} on the engine."
            raise FloworkError(ErrorCode.FORBIDDEN, message, details={"required_role": wanted})
        return RestCaller(address, role)


def _routes_of(resource: object) -> Iterable[_Route]:
    for _, method in inspect.getmembers(resource, inspect.ismethod):
        operation = getattr(method, _MARK, None)
        if isinstance(operation, EngineOperation):
            text = _PARAMETER.sub(r"(?P<\1>[^/]+)", _PREFIX + operation.path)
            yield _Route(operation, re.compile(text), method, frozenset(inspect.signature(method).parameters))


def _read(model: type[BaseModel], body: bytes) -> BaseModel:
    try:
        return model.model_validate(parse_object(body))
    except ValidationError as error:
        items = error.errors(include_url=False, include_input=False, include_context=False)
        problems = [{"field": ".".join(map(str, item["loc"])), "problem": item["msg"]} for item in items[:50]]
        first = problems[0]
        message = f"{first['field']}: {first['problem']}." if first["field"] else f"{first['problem']}."
        raise FloworkError(ErrorCode.INVALID_REQUEST, message, details=problems) from error
