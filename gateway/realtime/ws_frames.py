"""The frames of WebSockets: text written in one piece, and whole texts read out of a buffer (RFC 6455 §5)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

READ_BYTES = 16 * 1024
_TEXT, _WHOLE, _MASKED = 1, 0x80, 0x80
_HEAD_AND_KEY = 6


def text_frame(text: bytes) -> bytes:
    """Return the frame of a server that holds a whole text."""
    size = len(text)
    if size < 126:
        return bytes((_WHOLE | _TEXT, size)) + text
    if size < 1 << 16:
        return struct.pack("!BBH", _WHOLE | _TEXT, 126, size) + text
    return struct.pack("!BBQ", _WHOLE | _TEXT, 127, size) + text


def unmasked(data: bytes, key: bytes) -> bytes:
    """Return what a client masked with the four bytes of the key; masks, if called again."""
    size = len(data)
    stretched = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stretched, "big")).to_bytes(size, "big")


class BufferedSocket:
    """A socket that is read in large pieces: what `recv` does not return of one is kept for the next call.

    ``until_readable`` waits for the socket before each of them, and lets others have their turns. Everything else is
    the socket's own.
    """

    def __init__(self, socket: Any, until_readable: Callable[[], object]) -> None:
        self._socket = socket
        self._until_readable = until_readable
        self._buffer = b""
        self._at = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def recv(self, size: int) -> bytes:
        """Return up to so many bytes, none at the end; waits for the first one."""
        if self._at >= len(self._buffer):
            if size >= READ_BYTES:
                data: bytes = self._socket.recv(size)
                return data
            self._fill()
        start = self._at
        return self._buffer[start : self._go_to(min(start + size, len(self._buffer)))]

    def whole_text(self, most: int) -> bytes | None:
        """Wait for bytes; return the text of the next frame if all of it is there, of at most so many bytes, as usual.

        None, and nothing is taken, for whatever else comes: it has to be read frame by frame.
        """
        if self._at >= len(self._buffer):
            self._fill()
        buffer, start = self._buffer, self._at
        if len(buffer) - start < _HEAD_AND_KEY or buffer[start] != _WHOLE | _TEXT:
            return None
        size, key_at = buffer[start + 1] - _MASKED, start + 2
        if size == 126:
            size, key_at = int.from_bytes(buffer[start + 2 : start + 4], "big"), start + 4
        text_at = key_at + 4
        if not 0 <= size <= most or (size == 127 and key_at == start + 2) or text_at + size > len(buffer):
            return None
        self._go_to(text_at + size)
        return unmasked(buffer[text_at : text_at + size], buffer[key_at:text_at])

    def _fill(self) -> None:
        self._until_readable()
        self._buffer, self._at = self._socket.recv(READ_BYTES), 0

    def _go_to(self, place: int) -> int:
        """Go on at a place of the buffer, which is given back where nothing is left of it."""
        if place >= len(self._buffer):
            self._buffer, self._at = b"", 0
        else:
            self._at = place
        return place
