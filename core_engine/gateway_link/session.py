"""One connection to the gateway, from the handshake to its loss (protocol §3.3)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import socketio

from core_engine.gateway_link.introduction import Introduction, LinkLostError, LinkRefusedError, Owner
from core_engine.gateway_link.kill_switch import CHANGED
from shared.clock import Clock
from shared.errors import FloworkError

_log = logging.getLogger(__name__)

NAMESPACE = "/engine-socket"
SOCKET_PATH = "api/socket.io"
CONNECT_SECONDS = 15
WELCOME_SECONDS = 2
PING_SECONDS = 3
SILENCE_SECONDS = 20
HEARTBEAT_SECONDS = 15
CLOSE_SECONDS = 0.3
ANSWER_SECONDS = 20
WRONG_CREDENTIALS = "Invalid engine_id or token"


class LinkSession:
    """A connection in progress. `open` it, `run` it, `close` it; it cannot be used again."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        introduction: Introduction,
        owner: Owner,
        clock: Clock,
        *,
        handlers: Mapping[str, Callable[[Any], Awaitable[Any]]] | None = None,
    ) -> None:
        self._introduction = introduction
        self._owner = owner
        self._clock = clock
        self._refusal = ""
        self._trouble = ""
        self._welcome = asyncio.Event()
        self._lost = asyncio.Event()
        self._guests_changed: Callable[[], None] = lambda: None
        self._components_changed: Callable[[], None] = lambda: None
        self._heard: float | None = None
        self._unready = False
        self._vitals: Mapping[str, Any] | None = None
        self._fresh = asyncio.Event()
        self._socket = socketio.AsyncClient(
            reconnection=False,
            handle_sigint=False,
            logger=False,
            engineio_logger=False,
            http_session=http,
            websocket_extra_options={"heartbeat": HEARTBEAT_SECONDS},
        )
        self._listen()
        for event, handler in (handlers or {}).items():
            self._socket.on(event, handler, namespace=NAMESPACE)

    def on_guests_changed(self, callback: Callable[[], None]) -> None:
        """Call back when the list of those who may use the engine must be fetched again."""
        self._guests_changed = callback

    def on_components_changed(self, callback: Callable[[], None]) -> None:
        """Call back when the list of components that must not run must be fetched again."""
        self._components_changed = callback

    async def open(self, gateway_url: str) -> None:
        """Connect and present the engine; raises LinkRefusedError or LinkLostError."""
        intro = self._introduction
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._socket.connect(
                    gateway_url,
                    headers=intro.headers,
                    auth={"engine_id": intro.engine_id, "token": intro.token},
                    transports=["websocket"],
                    namespaces=[NAMESPACE],
                    socketio_path=SOCKET_PATH,
                    wait_timeout=CONNECT_SECONDS,
                )
        except (
            socketio.exceptions.SocketIOError,
            aiohttp.ClientError,
            OSError,
            TimeoutError,
            ValueError,
        ) as error:
            if self._refusal:
                raise LinkRefusedError(self._refusal) from error
            raise LinkLostError(self._trouble or str(error) or type(error).__name__) from error
        await self._settle_in()

    async def run(self) -> None:
        """Keep the connection alive and report vitals until it is lost; then raise LinkLostError."""
        tasks = [
            asyncio.create_task(self._ping(), name="link ping"),
            asyncio.create_task(self._report(), name="link vitals"),
            asyncio.create_task(self._lost.wait(), name="link end"),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except socketio.exceptions.SocketIOError as error:
            raise LinkLostError(str(error)) from error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        raise LinkLostError("the connection broke")

    def report(self, vitals: Mapping[str, Any]) -> None:
        """Send vitals soon; only the latest ones matter."""
        self._vitals = vitals
        self._fresh.set()

    async def ask(self, event: str, data: Mapping[str, Any]) -> Any:
        """Send an event and return its acknowledgement; raises ConnectionError when none comes in time."""
        try:
            return await self._socket.call(event, data, namespace=NAMESPACE, timeout=ANSWER_SECONDS)
        except socketio.exceptions.SocketIOError as error:
            raise ConnectionError(f"the gateway did not answer {event}") from error

    async def close(self) -> None:
        """End the connection, in a bounded time."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.disconnect()
        except (socketio.exceptions.SocketIOError, aiohttp.ClientError, OSError, TimeoutError):
            _log.debug("the link did not close cleanly", exc_info=True)

    def _listen(self) -> None:
        handlers: dict[str, Callable[..., Awaitable[Any]]] = {
            "auth_success": self._on_auth_success,
            "auth_failed": self._on_auth_failed,
            "connect_error": self._on_connect_error,
            "disconnect": self._on_disconnect,
            "engine_claim": self._on_claim,
            "force_refresh_auth_list": self._on_refresh,
            CHANGED: self._on_components,
        }
        for event, handler in handlers.items():
            self._socket.on(event, handler, namespace=NAMESPACE)

    async def _settle_in(self) -> None:
        try:
            async with asyncio.timeout(WELCOME_SECONDS):
                await self._welcome.wait()
        except TimeoutError:
            _log.info("the gateway did not greet; going on")
        if self._refusal:
            await self.close()
            raise LinkRefusedError(self._refusal)
        try:
            await self._present()
        except socketio.exceptions.SocketIOError as error:
            raise LinkLostError(str(error)) from error

    async def _present(self) -> None:
        """Say that the engine is up; a gateway that could not take it in, being busy, is told again."""
        self._unready = False
        ready = self._introduction.ready()
        await self._socket.emit("engine_ready", ready, namespace=NAMESPACE, callback=self._on_presented)

    async def _ping(self) -> None:
        while True:
            await self._socket.emit(
                "core:ping", {"ts": self._clock.now_ms() / 1000}, namespace=NAMESPACE, callback=self._on_pong
            )
            await asyncio.sleep(PING_SECONDS)
            if self._unready:
                await self._present()
            # A gateway that never acknowledges pings is watched by the heartbeat of the WebSocket alone.
            if self._heard is not None and self._clock.monotonic() - self._heard > SILENCE_SECONDS:
                raise LinkLostError("the gateway went silent")

    async def _report(self) -> None:
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            await self._socket.emit("engine_vitals_update", self._vitals, namespace=NAMESPACE)

    def _on_pong(self, *_: Any) -> None:
        self._heard = self._clock.monotonic()

    def _on_presented(self, answer: Any = None, *_: Any) -> None:
        if isinstance(answer, Mapping) and answer.get("ok") is False:
            _log.warning("the gateway did not take the engine up", extra={"reason": answer.get("error")})
            self._unready = True

    async def _on_auth_success(self, data: Any = None) -> None:
        named = _unwrap(data).get("user_id")
        await self._owner.meet_owner(named if isinstance(named, str) else None)
        self._welcome.set()

    async def _on_auth_failed(self, data: Any = None) -> None:
        self._refusal = str(_unwrap(data).get("error") or "auth_failed")
        self._welcome.set()

    async def _on_connect_error(self, data: Any = None, *_: Any) -> None:
        message = str(data.get("message") if isinstance(data, Mapping) else data)
        if message == WRONG_CREDENTIALS:
            self._refusal = message
        self._trouble = message

    async def _on_disconnect(self, *_: Any) -> None:
        self._lost.set()

    async def _on_claim(self, data: Any = None) -> dict[str, Any]:
        claim = _unwrap(data)
        address, proof = claim.get("address"), claim.get("proof")
        if not isinstance(address, str) or not isinstance(proof, str):
            return {"accepted": False, "error": "A claim needs an address and a proof."}
        try:
            await self._owner.claim(address, proof)
        except FloworkError as error:
            _log.warning("refused a claim", extra={"address": address, "reason": error.message})
            return {"accepted": False, "error": error.message}
        return {"accepted": True}

    async def _on_refresh(self, *_: Any) -> None:
        self._guests_changed()

    async def _on_components(self, *_: Any) -> None:
        self._components_changed()


def _unwrap(data: Any) -> Mapping[str, Any]:
    """Return an event's fields, bare or in the envelope ``{"v": 2, "payload": {…}}``."""
    if isinstance(data, Mapping) and "v" in data:
        data = data.get("payload")
    return data if isinstance(data, Mapping) else {}
