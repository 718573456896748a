"""Children that were started beforehand: one for each task, and one for each of the latest sets of openings."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from contextlib import suppress
from pathlib import Path

from core_engine.components.isolation.process import ChildProcess
from core_engine.components.isolation.rungs import Openings, Task

MOST_SPECIAL = 4
"""Spare children with something opened to them that are kept at a time; the longest unused goes first."""

IDLE_SECONDS = 60.0
"""How long one of these waits to be used: it holds the folders that are opened to it."""

Key = Hashable


def key_of(task: Task, openings: Openings) -> Key:
    """Return what a child must have been started for: also the very folders, not others that have their names now."""
    paths = (*openings.readable, *openings.writable)
    return (task, openings, tuple(_identity(path) for path in paths))


class Spares:
    """Keeps the children. `close` ends them all."""

    def __init__(self) -> None:
        self._plain: dict[Key, ChildProcess] = {}
        self._special: dict[Key, ChildProcess] = {}
        self._ends: dict[Key, asyncio.TimerHandle] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __contains__(self, key: Key) -> bool:
        return key in self._plain or key in self._special

    def take(self, key: Key) -> ChildProcess | None:
        """Return the child for a key, which is the caller's from now on; None where there is none that waits."""
        timer = self._ends.pop(key, None)
        if timer:
            timer.cancel()
        child = self._plain.pop(key, None) or self._special.pop(key, None)
        if child is not None and not child.usable:
            self._end(child)
            return None
        return child

    def keep(self, key: Key, child: ChildProcess, *, special: bool) -> None:
        """Keep a child for later; there must be none for the key."""
        if not special:
            self._plain[key] = child
            return
        while len(self._special) >= MOST_SPECIAL:
            self._drop(next(iter(self._special)))
        self._special[key] = child
        self._ends[key] = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._drop, key)

    async def close(self) -> None:
        """End all children and wait until they are gone."""
        for key in [*self._plain, *self._special]:
            self._drop(key)
        await asyncio.gather(*self._ending)

    def _drop(self, key: Key) -> None:
        child = self.take(key)
        if child is not None:
            self._end(child)

    def _end(self, child: ChildProcess) -> None:
        ending = asyncio.create_task(child.end(), name="end of a spare child")
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


def _identity(path: str) -> tuple[int, int] | None:
    with suppress(OSError):
        about = Path(path).stat()
        return about.st_dev, about.st_ino
    return None
