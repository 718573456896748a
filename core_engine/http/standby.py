"""What an engine process shows over HTTP while another one works: its health, its role and its figures."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from typing_extensions import override

from core_engine.http.guarded import METRICS_PATH, GuardedServer
from shared.errors import ErrorCode, FloworkError

RETRY_SECONDS = 2


class StandbyApi(GuardedServer):
    """``/healthz``: the process lives. ``/readyz`` and ``/health``: its clients are served, else 503."""

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        host: str,
        port: int,
        *,
        secret: str,
        metrics_token: str,
        exposition: Callable[[], bytes],
        role: Callable[[], str],
        ready: Callable[[], bool],
    ) -> None:
        super().__init__(host, port, secret=secret, exposition=exposition, metrics_token=metrics_token)
        self._role = role
        self._ready = ready

    @override
    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/healthz", self._show_life)
        for path in ("/health", "/readyz"):
            router.add_get(path, self._show_readiness)
        router.add_route("*", "/{path:.*}", self._refuse)

    @override
    def _opens(self, path: str) -> bool:
        return path != METRICS_PATH

    async def _show_life(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "alive", "role": self._role()})

    async def _show_readiness(self, _: web.Request) -> web.Response:
        ready = self._ready()
        status = "ready" if ready else "standby" if self._role() == "standby" else "not linked"
        return web.json_response({"status": status, "role": self._role()}, status=200 if ready else 503)

    async def _refuse(self, _: web.Request) -> web.Response:
        error = FloworkError(
            ErrorCode.ENGINE_UNAVAILABLE,
            "Another process of this engine works; this one does not answer that.",
        )
        return web.json_response(
            error.as_http_body(), status=error.meaning.http, headers={"Retry-After": str(RETRY_SECONDS)}
        )
