"""Serves the internal HTTP API: ``/health`` open, webhooks by their own secrets, the rest by ``X-API-Key``.

``/metrics`` opens to a bearer token of its own too. Users are named by the header ``X-Flowork-User-ID``, which counts
only beside the right key.
"""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from core_engine.http.status import StatusSource
from core_engine.http.webhooks import PREFIX, WebhookRoutes
from core_engine.rest.exchange import RestRequest
from core_engine.rest.router import RestApi
from shared.contract.proxy import HEADERS
from shared.ids import new_id

_log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/health"})
METRICS_PATH = "/metrics"
MAX_BODY_BYTES = 4 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0
_dumps = partial(json.dumps, separators=(",", ":"))
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class InternalApi:
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
        self._host = host
        self._port = port
        self._secret = secret.encode()
        self._status = status
        self._exposition = exposition
        self._metrics_token = metrics_token.encode()
        self._webhooks = webhooks
        self._rest = rest
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address is taken."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        app = web.Application(middlewares=[guard], client_max_size=MAX_BODY_BYTES)
        app.router.add_get("/health", self._health)
        app.router.add_get(METRICS_PATH, self._show_metrics)
        app.router.add_get("/api/v1/status", self._show_status)
        app.router.add_route("*", "/api/v1/{path:.+}", self._operate)
        if self._webhooks is not None:
            self._webhooks.add_to(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    @property
    def port(self) -> int:
        """The port the server listens on."""
        if self._runner is None:
            raise RuntimeError("the internal API is not started")
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and close what is open."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Ask for the key, and translate what goes wrong; the one edge of this server."""
        try:
            if not self._is_open(request) and (refusal := self._refusal(request)):
                return refusal
            return await handler(request)
        except web.HTTPException as error:
            return web.json_response({"error": error.reason}, status=error.status, headers=_allow(error))
        except Exception:  # noqa: BLE001 - the edge: nothing of an exception reaches the caller
            incident = new_id()
            _log.exception("an HTTP request failed unexpectedly", extra={"incident": incident})
            return web.json_response(
                {"error": "Internal Server Error", "code": "INTERNAL", "details": {"incident": incident}},
                status=500,
            )

    def _is_open(self, request: web.Request) -> bool:
        path = request.path
        if path == METRICS_PATH and self._metrics_token:
            kind, _, given = request.headers.get("Authorization", "").partition(" ")
            token = given.strip().encode(errors="surrogateescape")
            return kind.lower() == "bearer" and hmac.compare_digest(token, self._metrics_token)
        return path in OPEN_PATHS or (self._webhooks is not None and path.startswith(PREFIX))

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self._secret:
            return web.json_response(
                {"error": "This engine has no GATEWAY_SECRET_TOKEN; its internal API is closed."}, status=503
            )
        given = request.headers.get("X-API-Key", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            return web.json_response({"error": "Unauthorized: API Key is missing or invalid."}, status=401)
        return None

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

    async def _show_metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _show_status(self, _: web.Request) -> web.Response:
        return web.json_response(self._status().to_wire(), dumps=_dumps)


def _allow(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
