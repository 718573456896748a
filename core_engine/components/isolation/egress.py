"""The only way out of a locked child: it asks for a host, the engine judges, dials, and passes the bytes.

The child has no network and cannot make a socket. It holds one end of a pair of sockets, its door. Through it go
messages ``{"host", "port"}``, and back ``{}`` with one end of a new pair attached, or ``{"error"}``. What is written
to that end is passed on to the host and the other way round, for as long as the child lives.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Any

import msgspec

from core_engine.components.dialling import dial
from core_engine.components.isolation.hosts import Hosts, plain_name
from core_engine.components.isolation.process import OnLog
from core_engine.components.network import NetworkPolicy
from shared.errors import FloworkError
from shared.signing.strict_json import check_depth

MOST_CONNECTIONS = 16
"""Connections a child may have at a time."""

MOST_ATTEMPTS = 1000
"""Connections a child may ask for in its life."""

MOST_BYTES = 256 * 1024 * 1024
"""Bytes a child may send and receive, all its connections together."""

_MOST_LINES = 100
_DIAL_SECONDS = 20.0
_REQUEST_BYTES = 1024
_CHUNK = 64 * 1024

_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """The child gets no connection; the text says why."""


class Request(msgspec.Struct, forbid_unknown_fields=True):
    """What a child asks for."""

    host: str
    port: int


def open_door() -> tuple[socket.socket, socket.socket]:
    """Return the engine's end, which does not block, and the child's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return ours, theirs


class Egress:
    """Serves one child for one call. `serve` ends with the door; whoever started it cancels it otherwise."""

    def __init__(self, network: NetworkPolicy, hosts: Hosts, on_log: OnLog) -> None:
        self._network = network
        self._hosts = hosts
        self._on_log = on_log
        self._lines = _MOST_LINES
        self._attempts = 0
        self._sockets: set[socket.socket] = set()
        self._bytes = MOST_BYTES

    async def serve(self, door: socket.socket) -> None:
        """Answer requests, one after the other, until the child closes its end."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as relays:
                with suppress(OSError):
                    while message := await loop.sock_recv(door, _REQUEST_BYTES):
                        await self._answer(door, message, relays)
        finally:  # a relay that was cancelled before its first step has closed nothing
            for left in self._sockets:
                left.close()

    async def _answer(self, door: socket.socket, message: bytes, relays: asyncio.TaskGroup) -> None:
        try:
            outside = await self._connect(message)
        except RefusedError as error:
            self._say(f"No connection: {error}", "WARN")
            door.send(msgspec.json.encode({"error": str(error)}))
            return
        inside, theirs = socket.socketpair()
        with theirs:
            inside.setblocking(False)
            self._sockets |= {inside, outside}
            relays.create_task(self._relay(inside, outside), name="egress of an isolated step")
            socket.send_fds(door, [b"{}"], [theirs.fileno()])

    async def _connect(self, message: bytes) -> socket.socket:
        """Return a connection to what the message asks for, where that is allowed; the name is resolved here."""
        request = _read(message)
        self._attempts += 1
        try:
            name = plain_name(request.host)
        except ValueError as error:
            raise RefusedError(f"{error}.") from error
        if not self._hosts.cover(name, request.port):
            raise RefusedError(f"{name}:{request.port} is not among the hosts that are open to this code.")
        if self._attempts > MOST_ATTEMPTS or len(self._sockets) >= 2 * MOST_CONNECTIONS:
            raise RefusedError(
                f"A step has at most {MOST_CONNECTIONS} connections at a time and {MOST_ATTEMPTS} in all."
            )
        try:
            async with asyncio.timeout(_DIAL_SECONDS):
                connected = await dial(self._network, name, request.port)
        except TimeoutError:
            raise RefusedError(f"{name}:{request.port} does not answer.") from None
        except FloworkError as error:
            raise RefusedError(error.message) from error
        self._say(f"Connected to {name}:{request.port}.", "DEBUG")
        return connected

    async def _relay(self, inside: socket.socket, outside: socket.socket) -> None:
        pumps = [
            asyncio.create_task(self._pump(inside, outside), name="egress out"),
            asyncio.create_task(self._pump(outside, inside), name="egress in"),
        ]
        try:
            await asyncio.gather(*pumps)
        except OSError as error:
            _log.debug("a connection of an isolated step broke off", extra={"reason": str(error)})
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for ended in (inside, outside):
                ended.close()
                self._sockets.discard(ended)

    async def _pump(self, source: socket.socket, target: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(source, _CHUNK):
            self._bytes -= len(data)
            if self._bytes < 0:
                self._say(
                    f"This step has moved more than {MOST_BYTES // 1024**2} MiB over the network.", "WARN"
                )
                raise ConnectionAbortedError("too many bytes")
            await loop.sock_sendall(target, data)
        target.shutdown(socket.SHUT_WR)

    def _say(self, text: str, level: Any) -> None:
        if self._lines > 0:
            self._lines -= 1
            self._on_log(text, level)


def _read(message: bytes) -> Request:
    try:
        check_depth(message, 2)
        return msgspec.json.decode(message, type=Request)
    except (FloworkError, msgspec.DecodeError, UnicodeError) as error:
        raise RefusedError("The code asked for a connection in a way that is not understood.") from error
