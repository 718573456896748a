"""The catch-all way to an engine's operations (protocol §1.4, ``ANY /proxy/<path>``): declared ones only."""

from __future__ import annotations

import re

from flask import Request, Response

from gateway.web.engine_proxy import EngineProxy
from gateway.web.target import request_target
from shared.contract import catalog
from shared.contract.proxy import EngineOperation
from shared.errors import ErrorCode, FloworkError

PREFIX = "/api/v1/proxy/"
_PARAMETER = re.compile(r"\{\w+\}")


class EngineForward:
    """Finds the operation that a path below ``/proxy/`` means. What no engine declares does not exist."""

    def __init__(self, proxy: EngineProxy) -> None:
        self._proxy = proxy
        declared = (item for item in catalog.operations().values() if isinstance(item, EngineOperation))
        self._operations = [(re.compile(_PARAMETER.sub("[^/]+", item.path)), item) for item in declared]

    def answer(self, caller: str, request: Request, body: bytes, path: str) -> Response:
        """Pass a request on; raises NOT_FOUND, and what `EngineProxy` raises."""
        del path  # decoded; the engine gets it as it was sent
        sent = request_target(request.environ).partition("?")[0].removeprefix(PREFIX)
        sent = "/" + sent.removeprefix("api/v1/")
        for pattern, operation in self._operations:
            if operation.method == request.method and pattern.fullmatch(sent):
                return self._proxy.pass_on(operation, f"/api/v1{sent}", caller, request, body)
        raise FloworkError(ErrorCode.NOT_FOUND, "The engine offers no such operation.")
