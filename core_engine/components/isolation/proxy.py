"""The way out of a program: an HTTP proxy on its own loopback, which asks the engine's door (see `egress`).

The program has a network namespace of its own with nothing in it but this. It is for comfort, not a wall: what the
proxy cannot do the program cannot do either, and the engine judges every host.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
from contextlib import suppress
from typing import NamedTuple, NoReturn

PORT = 3128
"""Where it listens on 127.0.0.1. The namespace is the program's own, so the port is free."""

MEMORY_MB = 16
"""What it may take itself, in MiB; a program's own memory is counted on top of it."""

_MOST_CONNECTIONS = 20  # each takes two descriptors, and a child has 64
_HEAD_BYTES = 16 * 1024
_HEAD_SECONDS = 30.0
_ANSWER_BYTES = 4096
_CHUNK = 64 * 1024
_MOST_DESCRIPTORS = 64
_ABSOLUTE = re.compile(r"http://(?:[^/?#@]*@)?([^/?#@:]+)(?::([0-9]{1,5}))?([^#]*)", re.IGNORECASE)
_TUNNEL = re.compile(r"([^/?#@:]+):([0-9]{1,5})")
_OF_THIS_HOP = frozenset({"connection", "proxy-connection", "proxy-authorization", "keep-alive"})


class Request(NamedTuple):
    """Where a client wants to, and the head that goes there; none for a tunnel."""

    host: str
    port: int
    head: bytes

    @classmethod
    def read(cls, head: bytes) -> Request:
        """Read the head of ``CONNECT host:port`` or ``GET http://host/path``; raises ValueError."""
        line, *fields = head.decode("latin-1").split("\r\n")
        method, target, version = line.split(" ")
        if method == "CONNECT":
            found = _TUNNEL.fullmatch(target)
            if found is None:
                raise ValueError("no name and port to connect to")
            return cls(found[1], int(found[2]), b"")
        found = _ABSOLUTE.fullmatch(target)
        if found is None:
            raise ValueError("not an http address")
        path = found[3] if found[3].startswith("/") else f"/{found[3]}"
        kept = [field for field in fields if field.partition(":")[0].strip().lower() not in _OF_THIS_HOP]
        # the next request of this client may be for another host, so one connection carries one
        lines = [f"{method} {path} {version}", *kept, "Connection: close", "", ""]
        return cls(found[1], int(found[2] or 80), "\r\n".join(lines).encode("latin-1"))


class Proxy:
    """Made before the process is locked, because it binds a port; `start` comes after."""

    def __init__(self, door: int) -> None:
        self._door = socket.socket(fileno=door)
        self._listener = socket.create_server(("127.0.0.1", PORT))
        self._turn = asyncio.Lock()

    def start(self) -> None:
        """Let a process of its own serve; it ends with the namespace. The door is then closed here."""
        if os.fork() == 0:
            self._stay()
        self._door.close()
        self._listener.close()

    def _stay(self) -> NoReturn:
        try:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nothing, stream)
            kept = {self._door.fileno(), self._listener.fileno()}
            for other in set(range(3, _MOST_DESCRIPTORS)) - kept:
                with suppress(OSError):
                    os.close(other)
            asyncio.run(self._serve())
        finally:
            os._exit(1)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        free = asyncio.Semaphore(_MOST_CONNECTIONS)
        for ours in (self._door, self._listener):
            ours.setblocking(False)
        async with asyncio.TaskGroup() as clients:
            while True:
                await free.acquire()
                client, _ = await loop.sock_accept(self._listener)
                client.setblocking(False)
                task = clients.create_task(self._attend(client), name="client of a program's proxy")
                task.add_done_callback(lambda _: free.release())

    async def _attend(self, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with client, suppress(OSError):  # also TimeoutError; a client that goes away harms nobody
            async with asyncio.timeout(_HEAD_SECONDS):
                head, early = await _read_head(client)
            try:
                request = Request.read(head)
                outside = await self._ask(request)
            except PermissionError as error:
                await loop.sock_sendall(client, _refusal("403 Forbidden", str(error)))
                return
            except ValueError as error:
                await loop.sock_sendall(client, _refusal("400 Bad Request", str(error)))
                return
            with outside:
                if request.head:
                    await loop.sock_sendall(outside, request.head + early)
                else:
                    await loop.sock_sendall(client, b"HTTP/1.1 200 Connection established\r\n\r\n")
                    await loop.sock_sendall(outside, early)
                await _relay(client, outside)

    async def _ask(self, request: Request) -> socket.socket:
        """Return a connection; raises PermissionError with the engine's reason."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            self._door.send(json.dumps({"host": request.host, "port": request.port}).encode())
            answered = asyncio.Event()
            loop.add_reader(self._door, answered.set)
            try:
                await answered.wait()
            finally:
                loop.remove_reader(self._door)
            answer, descriptors, _, _ = socket.recv_fds(self._door, _ANSWER_BYTES, 1)
        reason = json.loads(answer).get("error") if answer else "The engine has gone."
        if reason or not descriptors:
            raise PermissionError(reason or "no connection")
        made = socket.socket(fileno=descriptors[0])
        made.setblocking(False)
        return made


def environment() -> dict[str, str]:
    """Return the variables by which programs know of the proxy."""
    place = f"http://127.0.0.1:{PORT}"
    known = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), place) | {"no_proxy": ""}
    return known | {name.upper(): value for name, value in known.items()}


async def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """Return a request's head and what came after it; raises ConnectionError where there is none."""
    loop = asyncio.get_running_loop()
    read = b""
    while b"\r\n\r\n" not in read:
        data = await loop.sock_recv(client, _CHUNK)
        read += data
        if not data or len(read) > _HEAD_BYTES + _CHUNK:
            raise ConnectionAbortedError("no request")
    head, _, early = read.partition(b"\r\n\r\n")
    return head, early


async def _relay(client: socket.socket, outside: socket.socket) -> None:
    pumps = [
        asyncio.create_task(_pump(client, outside), name="proxy out"),
        asyncio.create_task(_pump(outside, client), name="proxy in"),
    ]
    try:
        await asyncio.gather(*pumps)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def _pump(source: socket.socket, target: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, _CHUNK):
        await loop.sock_sendall(target, data)
    target.shutdown(socket.SHUT_WR)


def _refusal(status: str, reason: str) -> bytes:
    body = f"{reason}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body
