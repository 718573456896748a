"""What a WebSocket is still to be sent: written in one piece for each turn of the event loop, without waiting."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from gateway import incidents
from gateway.realtime.ws_frames import text_frame

PIECE_BYTES = 64 * 1024

_log = logging.getLogger(__name__)


class Wire(Protocol):
    """The way to the other side."""

    def offer(self, data: bytes) -> int:
        """Write as much as is taken at once; return how many bytes these were. Raises OSError where nobody is there."""
        ...

    def send(self, data: bytes) -> None:
        """Write all of it, and wait for that; raises OSError, also where it takes too long."""
        ...

    def hang_up(self) -> None:
        """End the connection; nothing is waited for."""
        ...


class Turns:
    """Calls `Outbox.flush` of each outbox that got something, once, at the end of the event loop's turn.

    ``soon`` has a function called then, ``spawn`` runs one that may wait.
    """

    def __init__(self, soon: Callable[[Callable[[], None]], Any], spawn: Callable[..., Any]) -> None:
        self._soon = soon
        self.spawn = spawn
        self._waiting: list[Outbox] = []

    def add(self, outbox: Outbox) -> None:
        """Have an outbox written."""
        if not self._waiting:
            self._soon(self._flush)
        self._waiting.append(outbox)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for outbox in waiting:
            try:
                outbox.flush()
            except Exception as error:  # noqa: BLE001 - one connection's trouble is not that of the others
                incidents.report(_log, "writing to a connection", error)
                outbox.give_up()


class Outbox:
    """Stands in the place of the queue of an `engineio` socket, with as much of its methods as that one calls.

    The loop writes what the connection takes at once; only for one that takes no more there is a task that waits, and
    it ends when everything is written, ``pong`` before all that waits. Used on one thread only.
    """

    def __init__(self, wire: Wire, turns: Turns) -> None:
        self._wire = wire
        self._turns = turns
        self._frames: deque[bytes] = deque()
        self.unsent_bytes = 0
        self.pong = b""
        self._due = False
        self._waiting = False
        self._ended = False
        self._closed = False

    @property
    def is_writing(self) -> bool:
        """Whether a task waits for the other side to read."""
        return self._waiting

    def put(self, packet: Any) -> None:
        """Have a packet of `engineio` sent; None ends the connection after what was put before."""
        if self._ended:
            return
        if packet is None:
            self._ended = True
            self._want()
        else:
            self.add(text_frame(packet.encode().encode()))

    def add(self, frame: bytes) -> None:
        """Have a whole frame sent."""
        if self._closed:
            return
        self._frames.append(frame)
        self.unsent_bytes += len(frame)
        self._want()

    def qsize(self) -> int:
        """Return how many frames were not begun to be sent."""
        return len(self._frames)

    def forget(self) -> None:
        """Do without what was not begun to be sent."""
        self._frames.clear()
        self.unsent_bytes = 0

    def give_up(self) -> None:
        """End the connection without what is still to be sent."""
        self._ended = True
        self._close()

    def flush(self) -> None:
        """Write what the connection takes, without waiting."""
        self._due = False
        if self._waiting or self._closed:
            return
        try:
            while self._frames:
                piece = self._take()
                sent = self._wire.offer(piece)
                if sent < len(piece):
                    self._waiting = True
                    self._turns.spawn(self._write, piece[sent:])
                    return
        except OSError:
            self._ended = True
        if self._ended:
            self._close()

    def _want(self) -> None:
        if not (self._due or self._waiting or self._closed):
            self._due = True
            self._turns.add(self)

    def _write(self, rest: bytes) -> None:
        """Write the rest of a piece, and what has come meanwhile, as fast as the other side reads."""
        try:
            self._wire.send(rest)
            while (self._frames or self.pong) and not self._closed:
                self._wire.send(self._take())
        except OSError:
            self._ended = True
        finally:
            self._waiting = False
        if self._ended:
            self._close()

    def _take(self) -> bytes:
        """Take frames that make a piece of a good size."""
        frames, piece, size = self._frames, [], 0
        pong, self.pong = self.pong, b""
        while frames and size < PIECE_BYTES:
            piece.append(frames.popleft())
            size += len(piece[-1])
        self.unsent_bytes -= size
        return pong + b"".join(piece) if pong else b"".join(piece)

    def _close(self) -> None:
        self._closed = True
        self.forget()
        self._wire.hang_up()
