"""One connection of the raw WebSocket: reads messages within its limits, writes frames as they come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from websockets.exceptions import ConnectionClosed

from core_engine.commands import answers
from core_engine.commands.caller import Caller
from core_engine.kernel.ports import Frame
from core_engine.transport.guard import GuardedConnection
from core_engine.transport.outbox import Outbox, portions
from core_engine.transport.rate import TokenBucket
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

_log = logging.getLogger(__name__)

SLICE_SECONDS = 0.004
REFUSED_COST = 20.0
MAX_ECHO_BYTES = 64 * 1024
WRITE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class PeerLimits:
    """Bounds on one connection; sizes in bytes, times in seconds."""

    max_message_bytes: int
    messages_per_second: int
    outbox_bytes: int
    auth_deadline_seconds: float


class Acceptor(Protocol):
    """Who takes the messages of connections: the engine's dispatcher, or what passes them on to it."""

    def accept(self, raw: bytes, caller: Caller) -> bool:
        """Take one message; tell whether its signature was good."""
        ...

    def leave(self, caller: Caller) -> None:
        """Note that a connection is gone."""
        ...


class Peer:
    """One connection from its handshake to its end."""

    def __init__(
        self,
        socket: GuardedConnection,
        dispatcher: Acceptor,
        limits: PeerLimits,
        clock: Clock,
        *,
        batch: bool,
    ) -> None:
        self._socket = socket
        self._dispatcher = dispatcher
        self._limits = limits
        self._clock = clock
        self._bucket = TokenBucket(limits.messages_per_second, clock.monotonic())
        self._outbox = Outbox(max_bytes=limits.outbox_bytes, batch=batch, on_overflow=self._drop_slow_reader)
        self._closing: asyncio.Task[None] | None = None
        self.caller = Caller(self._outbox.put, self._outbox.has_room)

    async def run(self) -> None:
        """Serve the connection until it ends."""
        writer = asyncio.create_task(self._write(), name="raw socket writer")
        deadline = asyncio.get_running_loop().call_later(
            self._limits.auth_deadline_seconds, self.end, 1008, "No signed message in time"
        )
        try:
            await self._read(deadline)
        except ConnectionClosed:
            pass
        finally:
            deadline.cancel()
            self._dispatcher.leave(self.caller)
            self._outbox.close()
            await writer
            if self._closing is not None:
                await self._closing

    def send(self, frames: Sequence[Frame]) -> None:
        """Send frames that nobody asked for."""
        self._outbox.put(frames)

    def end(self, code: int, reason: str) -> None:
        """Begin to close the connection; frames that still wait are thrown away."""
        if self._closing is None:
            self._outbox.close()
            self._closing = asyncio.create_task(self._socket.close(code, reason), name="raw socket close")

    async def _read(self, deadline: asyncio.TimerHandle) -> None:
        busy = 0.0
        while True:
            raw = await self._socket.recv(decode=False)
            begun = self._clock.monotonic()
            if self._take(raw, begun):
                deadline.cancel()
            busy += self._clock.monotonic() - begun
            if busy > SLICE_SECONDS:
                # A connection with a full queue would never wait by itself; the others want their turn.
                busy = 0.0
                await asyncio.sleep(0)

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while messages := await self._outbox.take():
                for portion in portions(messages, WRITE_BYTES):
                    await self._socket.send_texts(portion)
                    self._note_sent(sum(map(len, portion)))
        self._outbox.close()

    def _note_sent(self, size: int) -> None:
        self._outbox.sent(size)

    def _take(self, raw: bytes, now: float) -> bool:
        """Handle one message; tell whether its signature was good."""
        limits = self._limits
        if len(raw) > limits.max_message_bytes:
            text = f"A message may have at most {limits.max_message_bytes} bytes; this one has {len(raw)}."
            details = {"max_bytes": limits.max_message_bytes}
            self._refuse(FloworkError(ErrorCode.TOO_LARGE, text, details=details), raw)
            return False
        if wait := self._bucket.take(now):
            text = f"At most {limits.messages_per_second} messages a second on one connection."
            self._refuse(FloworkError(ErrorCode.RATE_LIMITED, text, retry_after=wait), raw)
            return False
        signed = self._dispatcher.accept(raw, self.caller)
        if not signed:
            # Refusing took the work of a signature check; guessing on is made dear.
            self._bucket.penalise(REFUSED_COST)
        return signed

    def _refuse(self, error: FloworkError, raw: bytes) -> None:
        ids = answers.ids_of_raw(raw) if len(raw) <= MAX_ECHO_BYTES else (None, None)
        self._outbox.put((answers.refusal(error, ids),))

    def _drop_slow_reader(self) -> None:
        _log.warning("dropped a slow reader", extra={"unsent_bytes": self._outbox.unsent_bytes})
        self.end(1013, "Too slow: events pile up")
