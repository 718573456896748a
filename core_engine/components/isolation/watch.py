"""Watches what a child that starts programs has running: the kernel limits each process, this limits all together."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import psutil

from core_engine.components.isolation.lock import MOST_PROCESSES
from core_engine.components.isolation.numbers import ProcessLimit
from core_engine.components.isolation.process import ChildProcess, OnLog
from core_engine.components.isolation.tasks.program import GRACE_SECONDS

_LOOK_SECONDS = 0.1
_ANSWER_SECONDS = 2.0


class Watch:
    """Asks one child and ends it when its family uses too much memory or time, or when ``stop`` is set.

    ``overgrown`` and ``late`` then say so.
    """

    def __init__(self, child: ChildProcess, memory_mb: int, seconds: float, stop: asyncio.Event) -> None:
        self._child = child
        self._most = memory_mb * 1024 * 1024
        self._seconds = seconds
        self._stop = stop
        self.overgrown = False
        self.late = False

    async def ask(self, request: bytes, on_log: OnLog) -> dict[str, Any] | None:
        """Do what `ChildProcess.ask` does, with the number of processes limited; raises SANDBOX_UNAVAILABLE.

        When the time is over the program is told to end and has its grace; what it printed is the answer still.
        """
        limit = await asyncio.to_thread(ProcessLimit.around, self._child.pid)
        asking = asyncio.create_task(
            self._child.ask(request, on_log, more=True), name="run of an isolated program"
        )
        others = (
            asyncio.create_task(self._look(), name="watch of an isolated program"),
            asyncio.create_task(self._stop.wait(), name="stop of an isolated program"),
        )
        try:
            return await self._answer(asking, others[1])
        finally:
            await self._child.end()
            for task in (asking, *others):
                task.cancel()
            await asyncio.gather(asking, *others, return_exceptions=True)
            await asyncio.to_thread(limit.remove)

    async def _answer(
        self, asking: asyncio.Task[dict[str, Any] | None], stopping: asyncio.Task[Any]
    ) -> dict[str, Any] | None:
        await asyncio.wait([asking, stopping], timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            self.late = True
            self._child.wind_up()
            await asyncio.wait([asking], timeout=GRACE_SECONDS + _ANSWER_SECONDS)
        return asking.result() if asking.done() else None

    async def _look(self) -> None:
        while not self.overgrown:
            await asyncio.sleep(_LOOK_SECONDS)
            self.overgrown = await asyncio.to_thread(_memory_of, self._child.pid) > self._most
        self._child.kill()


def _memory_of(pid: int) -> int:
    """Return the memory that a child and its descendants share with nobody, in bytes."""
    try:
        family = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return 0
    used = 0
    for process in family[: 2 * MOST_PROCESSES]:
        with suppress(psutil.Error):
            memory = process.memory_info()
            used += memory.rss - memory.shared
    return used
