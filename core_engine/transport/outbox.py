"""What waits to be sent on one connection: encoded at once, bounded in bytes and frames, taken once per tick."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import msgspec

from core_engine.kernel.ports import Frame
from shared.errors import ErrorCode, FloworkError

_log = logging.getLogger(__name__)

MAX_FRAMES = 100_000
BATCH_BYTES = 256 * 1024
_ENCODE = msgspec.json.Encoder().encode
_HEAD, _TAIL = b'{"type":"batch","frames":[', b"]}"


class Outbox:
    """Takes frames from anywhere on the event loop; one writer takes them out again.

    Bytes count until the writer reports them as `sent`, so a reader that does not read is noticed. When a
    limit is passed, everything is thrown away, the outbox closes and ``on_overflow`` is called once.
    """

    def __init__(self, *, max_bytes: int, batch: bool, on_overflow: Callable[[], None]) -> None:
        self._max_bytes = max_bytes
        self._batch = batch
        self._on_overflow = on_overflow
        self._waiting: list[bytes] = []
        self._unsent = 0
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False

    @property
    def unsent_bytes(self) -> int:
        """Bytes that were put in and are not reported as sent."""
        return self._unsent

    def put(self, frames: Sequence[Frame]) -> None:
        """Encode frames and let them wait; after the outbox closed they are dropped."""
        if not self._closed:
            self.put_encoded(_encoded(frames))

    def put_encoded(self, frames: Sequence[bytes]) -> None:
        """Let frames wait that are JSON already."""
        if self._closed:
            return
        size = sum(map(len, frames))
        if self._unsent + size <= self._max_bytes and len(self._waiting) + len(frames) <= MAX_FRAMES:
            self._waiting += frames
            self._unsent += size
        elif not self._put_what_fits(frames):
            self.close()
            self._on_overflow()
            return
        if self._unsent > self._max_bytes // 2 or len(self._waiting) > MAX_FRAMES // 2:
            self._room.clear()
        self._ready.set()

    def _put_what_fits(self, frames: Sequence[bytes]) -> bool:
        """Let frames wait one by one; False at the first one for which there is no room. One alone always has some."""
        for data in frames:
            over = self._unsent + len(data) > self._max_bytes and self._unsent > 0
            if over or len(self._waiting) >= MAX_FRAMES:
                return False
            self._waiting.append(data)
            self._unsent += len(data)
        return True

    async def has_room(self) -> None:
        """Wait until at most half of the room is taken, or the outbox closed: so may send who has much to send."""
        await self._room.wait()

    async def take(self) -> list[bytes]:
        """Wait for frames and return all that came in this tick, in order; empty once the outbox is closed."""
        await self._ready.wait()
        return self.take_now()

    def take_now(self) -> list[bytes]:
        """Return all that waits, in order."""
        if self._closed:
            return []
        self._ready.clear()
        taken, self._waiting = self._waiting, []
        return _batches(taken) if self._batch else taken

    def sent(self, size: int) -> None:
        """Note that so many bytes left for the network."""
        self._unsent = max(0, self._unsent - size)
        if self._unsent <= self._max_bytes // 2 and len(self._waiting) <= MAX_FRAMES // 2:
            self._room.set()

    def close(self) -> None:
        """Throw away what waits and let the writer end."""
        self._closed = True
        self._waiting.clear()
        self._room.set()
        self._ready.set()


def _encoded(frames: Sequence[Frame]) -> list[bytes]:
    try:
        return list(map(_ENCODE, frames))
    except (TypeError, ValueError, OverflowError):
        return list(map(_encode, frames))


def _encode(frame: Frame) -> bytes:
    try:
        return _ENCODE(frame)
    except (TypeError, ValueError, OverflowError):
        # A component may put anything into a payload; its run goes on, only this frame cannot be shown.
        _log.warning(
            "a frame cannot be written as JSON", extra={"frame_type": frame.get("type")}, exc_info=True
        )
        error = FloworkError(
            ErrorCode.INTERNAL, f"An event of type {frame.get('type')} cannot be written as JSON."
        )
        return _ENCODE(error.as_frame(job_id=frame.get("job_id")))


def portions(messages: Sequence[bytes], most: int) -> list[list[bytes]]:
    """Divide messages, in order, into groups of at most so many bytes; a larger one stands alone."""
    if messages and sum(map(len, messages)) + len(messages) - 1 <= most:
        return [list(messages)]
    groups: list[list[bytes]] = []
    size = most
    for data in messages:
        if size + len(data) > most:
            groups.append([])
            size = 0
        groups[-1].append(data)
        size += len(data) + 1
    return groups


def _batches(frames: list[bytes]) -> list[bytes]:
    """Join frames into ``batch`` messages of bounded size; a lone frame travels as it is."""
    groups = portions(frames, BATCH_BYTES)
    return [group[0] if len(group) == 1 else _HEAD + b",".join(group) + _TAIL for group in groups]
