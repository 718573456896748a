"""Serves the internal HTTP API: health open, webhooks by their own secrets, the rest by ``X-API-Key``.

``/metrics`` opens to a bearer token of its own too. Users are named by the header ``X-Flowork-User-ID``, which counts
only beside the right key.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from aiohttp import web
from typing_extensions import override

from core_engine.http.guarded import GuardedServer
from core_engine.http.status import StatusSource
from core_engine.http.webhooks import PREFIX, WebhookRoutes
from core_engine.rest.exchange import RestRequest
from core_engine.rest.router import RestApi
from shared.contract.proxy import HEADERS

_dumps = partial(json.dumps, separators=(",", ":"))


class InternalApi(GuardedServer):
    """The engine's HTTP server. Without a secret its guarded routes are closed, never open."""

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        host: str,
        port: int,
        *,
        secret: str,
        status: StatusSource,
        rest: RestApi,
        webhooks: WebhookRoutes | None = None,
        exposition: Callable[[], bytes] = bytes,
        metrics_token: str = "",
    ) -> None:
        super().__init__(host, port, secret=secret, exposition=exposition, metrics_token=metrics_token)
        self._status = status
        self._webhooks = webhooks
        self._rest = rest

    @override
    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/health", self._health)
        router.add_get("/healthz", self._alive)
        router.add_get("/readyz", self._ready)
        router.add_get("/api/v1/status", self._show_status)
        router.add_route("*", "/api/v1/{path:.+}", self._operate)
        if self._webhooks is not None:
            self._webhooks.add_to(router)

    @override
    def _opens(self, path: str) -> bool:
        return self._webhooks is not None and path.startswith(PREFIX)

    async def _operate(self, request: web.Request) -> web.Response:
        asked = RestRequest(
            method=request.method,
            path=request.rel_url.raw_path,
            query=dict(request.query),
            headers={name: request.headers[name] for name in HEADERS if name in request.headers},
            body=await request.read(),
            user=request.headers.get("X-Flowork-User-ID"),
        )
        answer = await self._rest.handle(asked)
        headers = {**answer.headers, "Content-Type": answer.media}
        return web.Response(body=answer.body, status=answer.status, headers=headers)

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ready"})

    async def _alive(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive", "role": "leader"})

    async def _ready(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ready", "role": "leader"})

    async def _show_status(self, _: web.Request) -> web.Response:
        return web.json_response(self._status().to_wire(), dumps=_dumps)
