"""A WebSocket client that costs next to nothing, so that it is the server that is measured and not the load.

RFC 6455 as far as a client needs it: the handshake, whole text frames out (the mask is zero, which leaves the bytes as
they are), frames in, pings answered. What arrives is checked by its reader, after the clock has stopped.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

CONNECT_SECONDS = 30.0
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_NO_MASK = b"\0\0\0\0"

OnFrame = Callable[[bytes], None]


def framed(payload: bytes, opcode: int = _TEXT) -> bytes:
    """Return one whole frame of a client."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + _NO_MASK + payload


class RawSocket(asyncio.Protocol):
    """One connection; ``on_frame`` is given each message. Made by `connect`."""

    def __init__(self, on_frame: OnFrame) -> None:
        self.on_frame = on_frame
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = bytearray()
        self._transport: Any = None

    def send(self, payload: bytes) -> None:
        """Send one message."""
        self._transport.write(framed(payload))

    def send_framed(self, data: bytes) -> None:
        """Send what `framed` has made before the clock started, one message or several."""
        self._transport.write(data)

    def close(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    async def opened(self, seconds: float) -> None:
        """Wait until the server has accepted the connection."""
        async with asyncio.timeout(seconds):
            await self._opened

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        reason = str(exc or "the server closed the connection")
        if not self._opened.done():
            self._opened.set_exception(ConnectionError(reason))
        if not self.gone.done():
            self.gone.set_result(reason)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._opened.done():
            head, found, _ = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                self._opened.set_exception(ConnectionError(head[:300].decode(errors="replace")))
                self._transport.abort()
                return
            self._opened.set_result(None)
            del self._buffer[: len(head) + 4]
        self._take_frames()

    def _take_frames(self) -> None:
        buffer, at, end = self._buffer, 0, len(self._buffer)
        while end - at >= 2:
            size, body = buffer[at + 1], at + 2
            if size == 126:
                if end - body < 2:
                    break
                size, body = buffer[body] << 8 | buffer[body + 1], body + 2
            elif size == 127:
                if end - body < 8:
                    break
                size, body = int.from_bytes(buffer[body : body + 8], "big"), body + 8
            if end - body < size:
                break
            self._take(buffer[at], bytes(buffer[body : body + size]))
            at = body + size
        del buffer[:at]

    def _take(self, first: int, payload: bytes) -> None:
        opcode = first & 15
        if opcode in {_TEXT, _BINARY} and first & 0x80:
            self.on_frame(payload)
        elif opcode == _PING:
            self._transport.write(framed(payload, _PONG))
        elif opcode == _CLOSE:
            if not self.gone.done():
                self.gone.set_result(f"closed: {payload[2:].decode(errors='replace')}")
            self._transport.close()
        elif opcode != _PONG:
            raise ConnectionError("the server sent a message in parts, which it is not known to do")


async def connect(
    url: str, on_frame: OnFrame, *, headers: dict[str, str] | None = None, seconds: float = CONNECT_SECONDS
) -> RawSocket:
    """Connect to ``ws://host:port/path?query``; raises ConnectionError or TimeoutError."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(
        lambda: RawSocket(on_frame), parts.hostname or "", parts.port or 80
    )
    lines = {
        "Host": parts.netloc, "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version": "13",
    }  # fmt: skip
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    text = "".join(f"{name}: {value}\r\n" for name, value in (lines | (headers or {})).items())
    socket.send_framed(f"GET {target} HTTP/1.1\r\n{text}\r\n".encode())
    await socket.opened(seconds)
    return socket
