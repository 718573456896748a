"""Makes HTTP requests over connections that stay open, each with so many under way as there are connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

from benchmarks.pace import until

WAIT_SECONDS = 100.0
MOST_RECONNECTS = 50


def request(url: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    """Return a request as it goes over the wire."""
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    given = {"Host": parts.netloc} | (headers or {})
    if body or method == "POST":
        given["Content-Length"] = str(len(body))
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + body


@dataclass
class Told:
    """What came back: the bodies in the order in which they came, and how long each request took, in seconds."""

    bodies: list[bytes] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    whole_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.bodies) / self.whole_seconds


class _Connection(asyncio.Protocol):
    """One connection; it asks for the next request as soon as one is answered."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._buffer = bytearray()
        self._since = 0.0
        self._sent = b""
        self.transport: Any = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Go on with a new connection: a server may close one that was idle, also while a request is on its way."""
        if self._buffer or not self._load.lost(self):
            self._load.fail(ConnectionError(str(exc or "the server closed a connection")))

    def send(self, data: bytes, since: float) -> None:
        self._since, self._sent = since, data
        if self.transport is not None:
            self.transport.write(data)

    async def again(self, host: str, port: int) -> None:
        """Connect anew, and send again what was not answered."""
        await asyncio.get_running_loop().create_connection(lambda: self, host, port)
        if self._sent:
            self.transport.write(self._sent)

    def is_safe(self) -> bool:
        """Whether what is under way may be sent twice."""
        return self._sent[:4] in {b"", b"GET "}

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        split = self._buffer.find(b"\r\n\r\n")
        if split < 0:
            return
        head = bytes(self._buffer[:split]).lower()
        size = _length(head)
        if size is None:
            self._load.fail(ConnectionError(f"an answer without a length: {head[:200]!r}"))
            return
        if len(self._buffer) < split + 4 + size:
            return
        body = bytes(self._buffer[split + 4 : split + 4 + size])
        self._sent = b""
        del self._buffer[: split + 4 + size]
        if not head.startswith((b"http/1.1 200", b"http/1.1 201")):
            self._load.fail(ConnectionError(f"answered {head[:40]!r}: {body[:200]!r}"))
            return
        self._load.answered(self, body, self._since)


class _Load:
    """Common to the connections: what is still to be sent, what came back."""

    def __init__(self, url: str, requests: Sequence[bytes]) -> None:
        self.told = Told()
        parts = urlsplit(url)
        self.place = (parts.hostname or "", parts.port or 80)
        self._reconnects: set[asyncio.Task[None]] = set()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.free: list[_Connection] = []
        self._requests: Iterator[bytes] = iter(requests)
        self._left = len(requests)
        self.on_free: Callable[[_Connection], None] = self.next

    def next(self, connection: _Connection) -> None:
        data = next(self._requests, None)
        if data is not None:
            connection.send(data, time.perf_counter())

    def answered(self, connection: _Connection, body: bytes, since: float) -> None:
        self.told.bodies.append(body)
        self.told.seconds.append(time.perf_counter() - since)
        self._left -= 1
        if self._left == 0 and not self.done.done():
            self.done.set_result(None)
        self.on_free(connection)

    def lost(self, connection: _Connection) -> bool:
        """Have a lost connection made anew; False when that has happened too often, or would repeat a change."""
        if self.done.done():
            return True
        if len(self._reconnects) >= MOST_RECONNECTS or not connection.is_safe():
            return False
        connection.transport = None
        task = asyncio.create_task(connection.again(*self.place), name="reconnect")
        self._reconnects.add(task)
        return True

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


async def closed_loop(url: str, requests: Sequence[bytes], connections: int) -> Told:
    """Send all requests, each connection the next one as soon as it has its answer."""
    load = _Load(url, requests)
    made = await _connect(load, connections)
    started = time.perf_counter()
    for connection in made:
        load.next(connection)
    await _finish(load, made)
    load.told.whole_seconds = time.perf_counter() - started
    return load.told


async def open_loop(url: str, requests: Sequence[bytes], connections: int, per_second: float) -> Told:
    """Send the requests at a steady rate, whatever the server does; a request that has to wait for a free connection
    counts from the moment at which it was due.
    """
    load = _Load(url, requests)
    made = await _connect(load, connections)
    waiting: list[tuple[bytes, float]] = []
    free = list(made)

    def freed(connection: _Connection) -> None:
        if waiting:
            connection.send(*waiting.pop(0))
        else:
            free.append(connection)

    load.on_free = freed
    started = time.perf_counter()
    for place, data in enumerate(requests):
        due = started + place / per_second
        await until(due)
        if free:
            free.pop().send(data, due)
        else:
            waiting.append((data, due))
    await _finish(load, made)
    load.told.whole_seconds = time.perf_counter() - started
    return load.told


async def _connect(load: _Load, count: int) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(lambda: _Connection(load), *load.place))[1] for _ in range(count)]


async def _finish(load: _Load, made: list[_Connection]) -> None:
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await load.done
    finally:
        for connection in made:
            if connection.transport is not None:
                connection.transport.abort()


def _length(head: bytes) -> int | None:
    place = head.find(b"content-length:")
    return None if place < 0 else int(head[place + 15 :].split(b"\r\n", 1)[0])
