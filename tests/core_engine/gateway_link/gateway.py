"""A small but real Socket.IO and HTTP server that plays the gateway's part of the link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import socketio
from aiohttp import web

NAMESPACE = "/engine-socket"
ENGINE_ID, TOKEN, SECRET = "engine-1", "dev_engine_" + "0" * 32, "flork_sec_" + "1" * 32
OWNER = "0x" + "Ab" * 20


class Gateway:
    """Notes what engines send; tells them what a test wants."""

    def __init__(self, *, token: str = TOKEN, owner: str | None = OWNER) -> None:
        self.token = token
        self.owner = owner
        self.guests: Any = [OWNER]
        self.guest_status = 200
        self.disabled: Any = []
        self.answers: dict[str, list[Any]] = {}
        self.handshakes: list[tuple[dict[str, str], Any]] = []
        self.list_headers: list[dict[str, str]] = []
        self.events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self.sids: list[str] = []
        self.port = 0
        self.sio = socketio.AsyncServer(async_mode="aiohttp", logger=False)
        self.sio.on("connect", self._connect, namespace=NAMESPACE)
        for event in ("engine_ready", "engine_vitals_update", "core:ping"):
            self.sio.on(event, self._noting(event), namespace=NAMESPACE)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        self.sio.attach(app, socketio_path="api/socket.io")
        app.router.add_get("/api/v1/engine/get-engine-auth-info", self._list)
        app.router.add_get("/api/v1/system/disabled-components", self._disabled)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        for sid in self.sids:
            await self.sio.disconnect(sid, namespace=NAMESPACE)
        self.sids.clear()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def next(self, event: str) -> Any:
        async with asyncio.timeout(60):
            while True:
                name, data = await self.events.get()
                if name == event:
                    return data

    async def tell(self, event: str, data: Any) -> Any:
        return await self.sio.call(event, data, to=self.sids[-1], namespace=NAMESPACE, timeout=30)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any) -> None:
        headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
        self.handshakes.append((headers, auth))
        if auth != {"engine_id": ENGINE_ID, "token": self.token}:
            await self.sio.emit(
                "auth_failed", {"error": "Invalid engine_id or token"}, to=sid, namespace=NAMESPACE
            )
            self.events.put_nowait(("refused", auth))
            raise ConnectionRefusedError("Invalid engine_id or token")
        self.sids.append(sid)
        await self.sio.emit("auth_success", {"user_id": self.owner}, to=sid, namespace=NAMESPACE)

    def _noting(self, event: str) -> Any:
        async def note(sid: str, data: Any) -> Any:
            self.events.put_nowait((event, data))
            waiting = self.answers.get(event)
            return waiting.pop(0) if waiting else None

        return note

    async def _disabled(self, _request: web.Request) -> web.Response:
        return web.json_response(self.disabled)

    async def _list(self, request: web.Request) -> web.Response:
        self.list_headers.append(dict(request.headers))
        self.events.put_nowait(("list", None))
        return web.json_response(self.guests, status=self.guest_status)


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Gateway]:
    gateway = Gateway(**settings)
    await gateway.start()
    try:
        yield gateway
    finally:
        await gateway.stop()
