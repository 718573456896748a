"""Watches what a child that starts programs has running: the kernel limits each process, this limits all together."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import psutil

from core_engine.components.isolation.lock import MOST_PROCESSES
from core_engine.components.isolation.process import ChildProcess, OnLog

_LOOK_SECONDS = 0.1
_OWN_PROCESSES = 3
"""bubblewrap's two and our child itself."""


class Watch:
    """Asks one child and ends it when its family grows too large. ``verdict`` is then the reason and a text."""

    def __init__(self, child: ChildProcess, memory_mb: int) -> None:
        self._child = child
        self._memory_mb = memory_mb
        self.verdict: tuple[str, str] | None = None

    async def ask(self, request: bytes, on_log: OnLog) -> dict[str, Any] | None:
        """Do what `ChildProcess.ask` does, watching meanwhile."""
        looking = asyncio.create_task(self._look(), name="watch of an isolated program")
        try:
            return await self._child.ask(request, on_log)
        finally:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    async def _look(self) -> None:
        while self.verdict is None:
            await asyncio.sleep(_LOOK_SECONDS)
            processes, used = await asyncio.to_thread(_measure, self._child.pid)
            if processes - _OWN_PROCESSES > MOST_PROCESSES:
                self.verdict = ("processes", f"it had more than {MOST_PROCESSES} processes and was ended")
            elif used > self._memory_mb * 1024 * 1024:
                self.verdict = ("memory", f"its processes used more than {self._memory_mb} MiB together")
        self._child.kill()


def _measure(pid: int) -> tuple[int, int]:
    """Return how many processes a child has, itself counted, and the memory that is theirs alone, in bytes."""
    try:
        child = psutil.Process(pid)
        family = [child, *child.children(recursive=True)]
    except psutil.Error:
        return 0, 0
    used = 0
    for process in family[: 4 * MOST_PROCESSES]:
        with suppress(psutil.Error):
            memory = process.memory_info()
            used += memory.rss - memory.shared
    return len(family), used
