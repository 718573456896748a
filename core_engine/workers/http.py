"""A worker's small HTTP server: ``/healthz`` is open and tells how it stands, ``/metrics`` wants the metrics' token."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

SHUTDOWN_SECONDS = 1.0
READY = "ready"


class WorkerHttp:
    """Serves two paths and nothing else; without a token the figures are closed, never open."""

    def __init__(
        self, host: str, port: int, *, state: Callable[[], str], exposition: Callable[[], bytes], token: str
    ) -> None:
        self._host = host
        self._port = port
        self._state = state
        self._exposition = exposition
        self._token = token.encode()
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Begin to listen and return the port; raises OSError when the address is taken."""
        app = web.Application(client_max_size=1024)
        for path in ("/healthz", "/health"):
            app.router.add_get(path, self._health)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _health(self, _: web.Request) -> web.Response:
        state = self._state()
        return web.json_response({"status": state}, status=200 if state == READY else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        if not self._token:
            return web.json_response({"error": "This worker has no FLOWORK_METRICS_TOKEN."}, status=503)
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(_bytes(given.strip()), self._token):
            text = "The metrics want FLOWORK_METRICS_TOKEN as a bearer token."
            return web.json_response({"error": text}, status=401, headers={"WWW-Authenticate": "Bearer"})
        return web.Response(body=self._exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
