"""What follows the end of a run: whoever asked for it is told, once for certain and again after a crash."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Container

from core_engine.kernel.ports import EndedRun, EndListener, ParentStep
from core_engine.storage import EngineStore, RunRow
from shared.contract.run import RUN_MODES, RUN_STATUSES
from shared.errors import FloworkError

_LOG = logging.getLogger(__name__)


class Aftermath:
    """Tells listeners of ended runs, one run after the other, in a task of its own.

    A run that some listener wants is marked as unsettled in the very write that ends it, and settled when all have
    heard of it; what is still unsettled at a start is told again. So a listener may hear of a run more than once.
    The queue is bounded by the runs that end.
    """

    def __init__(self, store: EngineStore) -> None:
        self._store = store
        self._listeners: list[EndListener] = []
        self._queue: deque[EndedRun] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, listener: EndListener) -> None:
        """Tell this listener too, from the next end on."""
        self._listeners.append(listener)

    def wanted(self, run: EndedRun) -> bool:
        """Whether any listener wants to hear of the run; asked before its end is written."""
        return any(listener.wants_end(run) for listener in self._listeners)

    def tell(self, run: EndedRun) -> None:
        """Have the listeners told of a run whose end is in the journal."""
        self._queue.append(run)
        self._news.set()

    async def start(self) -> None:
        """Tell of what was left unsettled, then of what comes."""
        for row in await asyncio.to_thread(self._store.archive.unsettled):
            self.tell(ended_run(row))
        self._task = asyncio.create_task(self._work(), name="aftermath of runs")

    async def take_over(self, numbers: Container[int]) -> None:
        """Tell of runs that ended in another process, which could not tell any more."""
        for row in await asyncio.to_thread(self._store.archive.unsettled):
            if row.number in numbers:
                self.tell(ended_run(row))

    async def close(self) -> None:
        """End the task; what was not told is told at the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._queue:
                run = self._queue.popleft()
                if await self._told(run):
                    await self._settle(run)

    async def _told(self, run: EndedRun) -> bool:
        told = True
        for listener in self._listeners:
            try:
                if listener.wants_end(run):
                    await listener.run_ended(run)
            except Exception:  # noqa: BLE001 - one listener's mistake is not the others'
                _LOG.exception(
                    "What follows a run failed; it is tried at the next start.", extra={"run": run.run_id}
                )
                told = False
        return told

    async def _settle(self, run: EndedRun) -> None:
        try:
            await self._store.settle_run(run.run_id)
        except FloworkError as error:
            _LOG.warning("A run cannot be settled.", extra={"run": run.run_id, "reason": error.message})


def ended_run(row: RunRow) -> EndedRun:
    """Return what listeners are told of a run."""
    parent = ParentStep(row.parent, row.parent_node or "", row.item or 0) if row.parent else None
    return EndedRun(
        run_id=row.id,
        status=RUN_STATUSES[row.status],
        mode=RUN_MODES[row.mode],
        started_by=row.started_by,
        preset_name=row.preset,
        origin=row.origin,
        parent=parent,
        error=row.error,
        started_at=row.started_at,
        finished_at=row.finished_at or row.started_at,
    )
