"""Of several processes of one engine one works; the others stand by here until its place is free."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from core_engine.storage import EngineStore
from core_engine.storage.parts import Taken
from shared.errors import FloworkError

_LOG = logging.getLogger(__name__)


class StandbyEndedError(Exception):
    """The process was told to stop before its turn came."""


class Standby:
    """Hears, on the event loop, what the store finds out about the other processes."""

    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Event()
        self.lost: FloworkError | None = None
        self._waiting: list[int] = []
        self._on_taken: Callable[[list[int]], None] | None = None
        self._on_lost: Callable[[FloworkError], None] | None = None

    async def wait(self, stop: asyncio.Event) -> None:
        """Return when it is this process's turn to work, at once where nobody else could.

        Raises StandbyEndedError when ``stop`` comes first, and INTERNAL when others gave this process up.
        """
        self._store.watch(self._hear, self._hear_lost)
        if self._store.leads:
            return
        _LOG.info("another process of this engine works; this one stands by")
        waits = [asyncio.create_task(event.wait(), name="standby") for event in (self._turn, stop)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if self.lost:
            raise self.lost
        if not self._turn.is_set():
            raise StandbyEndedError
        _LOG.warning("this process works from here on in place of another one")

    def tell(self, on_taken: Callable[[list[int]], None], on_lost: Callable[[FloworkError], None]) -> None:
        """Call ``on_taken`` with runs that were taken over since the turn came, ``on_lost`` when all are lost."""
        self._on_taken, self._on_lost = on_taken, on_lost
        if self.lost:
            on_lost(self.lost)
        elif self._waiting:
            on_taken(self._waiting)

    def _hear(self, taken: Taken) -> None:
        self._call(self._take, taken)

    def _hear_lost(self, error: FloworkError) -> None:
        self._call(self._lose, error)

    def _call(self, function: Callable[..., None], news: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, news)

    def _take(self, taken: Taken) -> None:
        if taken.leads:
            self._turn.set()
        if taken.runs and self._on_taken:
            self._on_taken(taken.runs)
        else:
            self._waiting += taken.runs

    def _lose(self, error: FloworkError) -> None:
        self.lost = error
        self._turn.set()
        if self._on_lost:
            self._on_lost(error)
