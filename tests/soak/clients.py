"""Clients of the soak: they start runs, hear of their ends, and lose their connections on the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from typing import Any

import socketio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from shared.ids import new_id
from shared.signing.envelope import seal
from tests.soak.work import FINAL, KINDS, Book, Started, Try, World, workflow
from tests.support.platform import Platform

PATIENCE = 120.0
"""Seconds after which a client gives a run up; whether it was carried out is looked at in the end."""
SILENCE = 15.0
GOODBYE = 5.0
PASSING = frozenset({"ENGINE_UNAVAILABLE", "RATE_LIMITED", "STORAGE_FULL", "DEADLINE_EXCEEDED"})
LOST = (WebSocketException, socketio.exceptions.SocketIOError, OSError, TimeoutError)


class LostError(OSError):
    """The other side said that it cannot answer now."""


def _how(error: BaseException) -> str:
    """Return why a try came to nothing: silence, a refusal, or the loss of the connection."""
    if isinstance(error, LostError):
        return str(error)
    silent = isinstance(error, TimeoutError | socketio.exceptions.TimeoutError)
    return "silence" if silent else type(error).__name__


class Client:
    """Starts one run after the other until it is told to end; each again under its id until its end was heard."""

    def __init__(
        self, platform: Platform, world: World, book: Book, rng: random.Random, think: float
    ) -> None:
        self.platform = platform
        self.rng = rng
        self.world = world
        self.book = book
        self._think = think

    async def live(self, stop: asyncio.Event) -> None:
        await asyncio.sleep(self.rng.uniform(0, self._think))
        try:
            while not stop.is_set():
                await self.carry_through(self._next())
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self.rng.uniform(0.5, 1.5) * self._think)
        finally:
            await self.hang_up()

    def _next(self) -> Started:
        job_id, kind = new_id(), self.rng.choice(KINDS)
        run = Started(job_id, kind, workflow(kind, self.world.url(job_id), self.rng), time.monotonic())
        self.book.runs.append(run)
        return run

    async def carry_through(self, run: Started) -> None:
        """Start a run, again and again until its end is heard or it is given up."""
        while run.ended is None and time.monotonic() < run.begun + PATIENCE:
            run.tries.append(Try(time.monotonic()))
            try:
                await self.attempt(run)
            except LOST as error:
                run.tries[-1].ended, run.tries[-1].how = time.monotonic(), _how(error)
                await self.hang_up()
                await asyncio.sleep(self.rng.uniform(0.2, 1.0))

    async def attempt(self, run: Started) -> None:
        """Start the run, or ask for it again, and follow it to its end; raises one of `LOST`."""
        raise NotImplementedError

    async def hang_up(self) -> None:
        raise NotImplementedError

    def hear(self, run: Started, status: str) -> None:
        run.acked = run.acked or time.monotonic()
        run.status = status
        if status in FINAL:
            run.ended = time.monotonic()

    def refuse(self, run: Started, code: str, message: str) -> None:
        """Take a refusal: one that passes is a loss, any other is noted."""
        if code not in PASSING:
            self.book.refused.append(f"{run.kind} {run.job_id}: {code} {message}")
        raise LostError(code)


class SocketClient(Client):
    """A client of the engine's own socket."""

    _socket: ClientConnection | None = None

    async def attempt(self, run: Started) -> None:
        socket = self._socket = self._socket or await connect(
            f"{self.platform.socket_url}/?engineId={self.platform.engine_id}",
            open_timeout=SILENCE,
            proxy=None,
        )
        await socket.send(self.sealed(type="execute_workflow", job_id=run.job_id, workflow_data=run.workflow))
        run.tries[-1].sent = time.monotonic()
        while run.ended is None:
            async with asyncio.timeout(SILENCE):
                frame = json.loads(await socket.recv())
            if frame.get("job_id") != run.job_id:
                continue
            if frame["type"] == "error":
                self.refuse(run, frame["code"], frame["message"])
            if frame["type"] == "workflow_status_update":
                self.hear(run, frame["status_data"]["status"])

    async def details(self, job_id: str) -> dict[str, Any]:
        """Return what ``get_run`` answers, or its error."""
        return await self.ask("get_run", job_id=job_id)

    async def ask(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        """Send a command and return its answer."""
        socket = self._socket = self._socket or await connect(
            f"{self.platform.socket_url}/?engineId={self.platform.engine_id}",
            open_timeout=SILENCE,
            proxy=None,
        )
        request = new_id()
        await socket.send(self.sealed(type=kind, request_id=request, **fields))
        while True:
            async with asyncio.timeout(60):
                frame: dict[str, Any] = json.loads(await socket.recv())
            if frame.get("request_id") == request:
                return frame

    async def history(self, job_id: str) -> list[dict[str, Any]]:
        """Return all events of a run that has ended."""
        answer = await self.details(job_id)
        request, frames, seq = new_id(), list[dict[str, Any]](), 0
        assert self._socket is not None
        await self._socket.send(
            self.sealed(type="subscribe_run", request_id=request, job_id=job_id, after_seq=0)
        )
        while seq < answer["last_seq"]:
            async with asyncio.timeout(60):
                frame: dict[str, Any] = json.loads(await self._socket.recv())
            if frame["type"] == "error" and frame.get("request_id") == request:
                raise LostError(f"{frame['code']} {frame['message']}")
            if frame.get("job_id") == job_id and "seq" in frame:
                frames.append(frame)
                seq = frame["seq"]
        return frames

    def sealed(self, **payload: Any) -> str:
        now_ms = time.time_ns() // 1_000_000
        return seal(self.platform.owner, self.platform.engine_id, payload, now_ms=now_ms)

    async def hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(*LOST):
                async with asyncio.timeout(GOODBYE):
                    await socket.close()


class PageClient(Client):
    """A page behind the gateway, which signs in once and comes back with the same sign-in."""

    _socket: socketio.AsyncClient | None = None
    _auth: dict[str, Any] | None = None

    async def attempt(self, run: Started) -> None:
        socket, news = await self._connected()
        payload = {
            "type": "execute_workflow", "job_id": run.job_id, "workflow_data": run.workflow, "mode": "EXECUTE",
        }  # fmt: skip
        run.tries[-1].sent = time.monotonic()
        answer = await socket.call(
            "execute_workflow", {"v": 2, "payload": payload}, namespace="/gui-socket", timeout=SILENCE
        )
        if not answer.get("ok"):
            self.refuse(run, answer["code"], answer["error"])
        while run.ended is None:
            async with asyncio.timeout(SILENCE):
                told = await news.get()
            if told is None:
                raise LostError("the gateway hung up")
            if told.get("job_id") == run.job_id:
                self.hear(run, told["status_data"]["status"])

    async def _connected(self) -> tuple[socketio.AsyncClient, asyncio.Queue[dict[str, Any] | None]]:
        if self._socket is not None and self._socket.connected:
            return self._socket, self._news
        await self.hang_up()
        news = self._news = asyncio.Queue()
        socket = self._socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        socket.on("WORKFLOW_EXECUTION_UPDATE", news.put_nowait, namespace="/gui-socket")
        socket.on("disconnect", lambda *_: news.put_nowait(None), namespace="/gui-socket")
        await socket.connect(
            self.platform.gateway_url, namespaces=["/gui-socket"], auth=self._sign_in(),
            socketio_path="api/socket.io", transports=["websocket"], wait_timeout=SILENCE,
        )  # fmt: skip
        return socket, news

    def _sign_in(self) -> dict[str, Any]:
        if self._auth is None:
            owner = self.platform.owner
            message = f"flowork_socket_auth|{owner.address}|{time.time_ns() // 1_000_000_000}"
            headers = {
                "X-User-Address": owner.address,
                "X-Signed-Message": message,
                "X-Signature": owner.sign_text(message),
                "X-Payload-Version": 2,
            }
            self._auth = {"headers": headers}
        return self._auth

    async def hang_up(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            with contextlib.suppress(*LOST):
                async with asyncio.timeout(GOODBYE):  # it waits for its own queue, which may stand still
                    await socket.disconnect()
            if socket.eio.http is not None and not socket.eio.http.closed:
                await socket.eio.http.close()
