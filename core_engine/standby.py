"""Of several processes of one engine one works; the others stand by here until its place is free."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from core_engine.storage import EngineStore
from core_engine.storage.parts import Taken
from shared.errors import ErrorCode, FloworkError

_LOG = logging.getLogger(__name__)
TakeOver = Callable[[frozenset[int]], Awaitable[int]]

AGAIN_SECONDS = 1.0


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
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_taken: TakeOver | None = None
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

    def tell(self, on_taken: TakeOver, on_lost: Callable[[FloworkError], None]) -> None:
        """Call ``on_taken`` with numbers of runs that are taken over from here on, ``on_lost`` when all are lost."""
        self._on_taken, self._on_lost = on_taken, on_lost
        if self.lost:
            on_lost(self.lost)
        elif self._waiting:
            self._begin(on_taken, self._waiting)

    async def close(self) -> None:
        """Take nothing over any more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, on_taken: TakeOver, numbers: list[int]) -> None:
        task = asyncio.create_task(self._go_on(on_taken, numbers), name="take over runs")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _go_on(self, on_taken: TakeOver, numbers: list[int]) -> None:
        """Have runs taken over, as soon as the database can be reached; others may take this process's place first."""
        while True:
            try:
                count = await on_taken(frozenset(numbers))
            except FloworkError as error:
                facts = {"reason": error.message}
                if error.code is not ErrorCode.ENGINE_UNAVAILABLE:
                    _LOG.critical("runs of another process cannot be taken over", extra=facts)
                    self._lose(error)
                    return
                _LOG.warning("runs of another process wait to be taken over", extra=facts)
            else:
                _LOG.warning("runs of another process are taken over", extra={"runs": count})
                return
            await asyncio.sleep(AGAIN_SECONDS)

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
            self._begin(self._on_taken, taken.runs)
        else:
            self._waiting += taken.runs

    def _lose(self, error: FloworkError) -> None:
        self.lost = error
        self._turn.set()
        if self._on_lost:
            self._on_lost(error)
