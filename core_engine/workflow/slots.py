"""How many steps may run at the same time over all runs, and who is next when one ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

RunT = TypeVar("RunT")


class Slots(Generic[RunT]):
    """A counter with a first-come, first-served line of runs.

    ``wake`` is called for the next in line, ``idle`` when no slot is taken any more.
    """

    def __init__(self, most: int, wake: Callable[[RunT], None], idle: Callable[[], None]) -> None:
        self._most = most
        self._wake = wake
        self._idle = idle
        self._line: dict[RunT, None] = {}
        self.used = 0

    def take(self, run: RunT) -> bool:
        """Take a slot, or stand in line and return False."""
        if self.used >= self._most:
            self._line[run] = None
            return False
        self._line.pop(run, None)
        self.used += 1
        return True

    def retake(self) -> None:
        """Take a slot for a step that runs already, even beyond the limit."""
        self.used += 1

    def give(self) -> None:
        """Return a slot."""
        self.used -= 1
        if self._line:
            run = next(iter(self._line))
            del self._line[run]
            self._wake(run)
        if self.used == 0:
            self._idle()

    @property
    def waiting(self) -> int:
        """How many runs stand in line."""
        return len(self._line)

    def leave(self, run: RunT) -> None:
        """Step out of the line."""
        self._line.pop(run, None)
