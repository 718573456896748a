"""Watches what a child that starts programs has running: the kernel limits each process, this limits all together."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import psutil

from core_engine.components.isolation.lock import MOST_PROCESSES
from core_engine.components.isolation.numbers import ProcessLimit
from core_engine.components.isolation.process import ChildProcess, OnLog

_LOOK_SECONDS = 0.1


class Watch:
    """Asks one child and ends it when its family uses too much memory; ``overgrown`` then says so."""

    def __init__(self, child: ChildProcess, memory_mb: int) -> None:
        self._child = child
        self._most = memory_mb * 1024 * 1024
        self.overgrown = False

    async def ask(self, request: bytes, on_log: OnLog) -> dict[str, Any] | None:
        """Do what `ChildProcess.ask` does, with the number of processes limited; raises SANDBOX_UNAVAILABLE."""
        limit = await asyncio.to_thread(ProcessLimit.around, self._child.pid)
        looking = asyncio.create_task(self._look(), name="watch of an isolated program")
        try:
            return await self._child.ask(request, on_log)
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking
            await self._child.end()
            await asyncio.to_thread(limit.remove)

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
