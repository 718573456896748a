"""What waits to be sent to one page: bounded, in order, taken out in batches that the gateway accepts."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from core_engine.gateway_link.relay_frames import RelayEvent
from shared.contract.relay import MAX_BATCH

MAX_BYTES = 8 * 1024 * 1024
BATCH_BYTES = 256 * 1024
_FRAME_BYTES = 200  # around each event


class RelayOutbox:
    """Takes events from anywhere on the event loop; one writer takes them out again.

    When it is full it takes no further events of runs: these are in the journal and are read from there, once
    the writer has emptied it. Answers are few; they have twice the room.
    """

    def __init__(self) -> None:
        self._waiting: deque[RelayEvent] = deque()
        self._bytes = 0
        self._ready = asyncio.Event()
        self.lagging = False

    def put(self, events: Iterable[RelayEvent]) -> None:
        """Let events wait; ``lagging`` tells whether events of runs were left out."""
        for event in events:
            limit = MAX_BYTES if event.seq else 2 * MAX_BYTES
            if event.seq and self.lagging:
                continue
            if self._bytes + event.size > limit:
                self.lagging = self.lagging or bool(event.seq)
                continue
            self._waiting.append(event)
            self._bytes += event.size + _FRAME_BYTES
        self._ready.set()

    async def take(self, *, most: int, max_bytes: int) -> list[RelayEvent]:
        """Wait for events and return some, oldest first; none when it was only woken up."""
        await self._ready.wait()
        taken: list[RelayEvent] = []
        room = min(BATCH_BYTES, max_bytes)
        while self._waiting and len(taken) < min(most, MAX_BATCH):
            cost = self._waiting[0].size + _FRAME_BYTES
            if taken and cost > room:
                break
            room -= cost
            self._bytes -= cost
            taken.append(self._waiting.popleft())
        if not self._waiting:
            self._ready.clear()
        return taken

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def begin_again(self, untold: Iterable[RelayEvent]) -> None:
        """Keep answers only, ``untold`` ones of before first; events of runs are read from the journal again."""
        kept = [event for event in (*untold, *self._waiting) if not event.seq]
        self.clear()
        self.put(kept)
        self.lagging = True

    def clear(self) -> None:
        """Throw away what waits."""
        self._waiting.clear()
        self._bytes = 0
        self._ready.clear()
        self.lagging = False
