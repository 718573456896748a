"""A Socket.IO client over `benchmarks.wire`: events out, events and acknowledgements in, pings answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from benchmarks.wire import RawSocket, connect

JOIN_SECONDS = 60.0
OnEvent = Callable[["Namespace", str, Any, str], None]
"""Called with the connection, an event's name, its first argument, and the id under which to acknowledge it."""


class Namespace:
    """One connection to one namespace. Made by `join`."""

    def __init__(self, name: str, on_event: OnEvent) -> None:
        self.socket: RawSocket
        self._name = name
        self._on_event = on_event
        self._asked = 0
        self.receipts = 0
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._greeted: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def emit(self, event: str, data: Any) -> None:
        """Send an event."""
        self.socket.send(f"42{self._name},".encode() + msgspec.json.encode([event, data]))

    def ask(self, event: str, data: Any) -> None:
        """Send an event that is to be acknowledged; `receipts` counts the acknowledgements."""
        self._asked += 1
        self.socket.send(f"42{self._name},{self._asked}".encode() + msgspec.json.encode([event, data]))

    def acknowledge(self, number: str, data: Any) -> None:
        """Answer an event that asked for it."""
        self.socket.send(f"43{self._name},{number}".encode() + msgspec.json.encode([data]))

    async def handshake(self, url: str, auth: dict[str, Any], headers: dict[str, str]) -> None:
        """Connect and join; raises ConnectionError when the server refuses."""
        address = f"ws{url.removeprefix('http')}/socket.io/?EIO=4&transport=websocket"
        self.socket = await connect(address, self._take, headers=headers, seconds=JOIN_SECONDS)
        async with asyncio.timeout(JOIN_SECONDS):
            await self._greeted
            self.socket.send(f"40{self._name},".encode() + msgspec.json.encode(auth))
            await self._joined

    def _take(self, message: bytes) -> None:
        kind = message[:2]
        if kind == b"42":
            head, _, body = message.partition(b"[")
            event, *args = msgspec.json.decode(b"[" + body)
            number = head.rpartition(b",")[2].decode()
            self._on_event(self, event, args[0] if args else None, number)
        elif kind == b"43":
            self.receipts += 1
        elif message[:1] == b"2":
            self.socket.send(b"3")
        elif message[:1] == b"0":
            self._greeted.set_result(None)
        elif kind == b"40":
            self._joined.set_result(None)
        elif kind in {b"44", b"41"} and not self._joined.done():
            self._joined.set_exception(ConnectionError(message.decode(errors="replace")))


async def join(
    url: str, name: str, on_event: OnEvent, auth: dict[str, Any], headers: dict[str, str] | None = None
) -> Namespace:
    """Return a connection that stands."""
    made = Namespace(name, on_event)
    await made.handshake(url, auth, headers or {})
    return made
