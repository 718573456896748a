"""How engine and child talk: a length of four bytes, then so many bytes of JSON."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

HEADER_BYTES = 4
MAX_REQUEST_BYTES = 8 * 1024 * 1024
MAX_VALUE_BYTES = 1024 * 1024
MAX_FRAME_BYTES = 3 * MAX_VALUE_BYTES + 4096
"""A child's frame: its value, which a program's streams make larger than others, and a little around it."""


def encode(frame: Any) -> bytes:
    """Return a frame's bytes. Raises TypeError or ValueError for what is not JSON."""
    body = json.dumps(frame, allow_nan=False, separators=(",", ":")).encode("ascii")
    return struct.pack(">I", len(body)) + body


class FrameReader:
    """Takes bytes as they come and gives back whole frames; what a child sends is not trusted."""

    def __init__(self, limit: int, decode: Callable[[bytes], Any]) -> None:
        self._limit = limit
        self._decode = decode
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the frames completed by the data. Raises ValueError for anything but an object of our shape.

        ``decode`` raises ValueError for what is not JSON.
        """
        self._buffer += data
        frames = []
        while len(self._buffer) >= HEADER_BYTES:
            (length,) = struct.unpack_from(">I", self._buffer)
            if length > self._limit:
                raise ValueError(f"a frame of {length} bytes is too long")
            end = HEADER_BYTES + length
            if len(self._buffer) < end:
                break
            frame = self._decode(bytes(self._buffer[HEADER_BYTES:end]))
            if not isinstance(frame, dict):
                raise ValueError("the frame is not an object")  # noqa: TRY004 - one error for all bad frames
            frames.append(frame)
            del self._buffer[:end]
        return frames
