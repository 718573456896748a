"""The guard of the engine's HTTP servers: who may read what, and what of a failure reaches the caller.

``/metrics`` opens to a bearer token of its own, beside ``X-API-Key``. Without a secret guarded routes are closed.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from shared.ids import new_id

_log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/health", "/healthz", "/readyz"})
METRICS_PATH = "/metrics"
MAX_BODY_BYTES = 4 * 1024 * 1024
SHUTDOWN_SECONDS = 1.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class GuardedServer:
    """An HTTP server; who inherits adds routes and may open more paths."""

    def __init__(
        self, host: str, port: int, *, secret: str, exposition: Callable[[], bytes], metrics_token: str
    ) -> None:
        self._host = host
        self._port = port
        self._secret = secret.encode()
        self._exposition = exposition
        self._metrics_token = metrics_token.encode()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Begin to listen; raises OSError when the address is taken."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        app = web.Application(middlewares=[guard], client_max_size=MAX_BODY_BYTES)
        app.router.add_get(METRICS_PATH, self._show_metrics)
        self._add_routes(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    @property
    def port(self) -> int:
        """The port the server listens on."""
        if self._runner is None:
            raise RuntimeError("the HTTP server is not started")
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
        return path in OPEN_PATHS or self._opens(path)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not self._secret:
            return web.json_response(
                {"error": "This engine has no GATEWAY_SECRET_TOKEN; its internal API is closed."}, status=503
            )
        given = request.headers.get("X-API-Key", "").encode(errors="surrogateescape")
        if not hmac.compare_digest(given, self._secret):
            return web.json_response({"error": "Unauthorized: API Key is missing or invalid."}, status=401)
        return None

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        raise NotImplementedError

    def _opens(self, path: str) -> bool:
        del path
        return False

    async def _show_metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self._exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _allow(error: web.HTTPException) -> dict[str, str]:
    return {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
