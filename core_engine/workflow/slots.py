"""How many steps may run at the same time, over all runs and under one key, and who is next when one ends."""

from __future__ import annotations

from collections import Counter
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
        self.pass_on()
        if self.used == 0:
            self._idle()

    def pass_on(self) -> None:
        """Wake the next in line while a slot is free; to be called too when a run that was woken had its turn.

        It may not have wanted the slot any more, and whoever stands behind it must not wait for another one.
        """
        if self._line and self.used < self._most:
            run = next(iter(self._line))
            del self._line[run]
            self._wake(run)

    @property
    def waiting(self) -> int:
        """How many runs stand in line."""
        return len(self._line)

    def leave(self, run: RunT) -> None:
        """Step out of the line."""
        self._line.pop(run, None)
        self.pass_on()


class KeyedSlots(Generic[RunT]):
    """A counter for each key; ``wake`` is called for the runs that found a key taken, in the order they came."""

    def __init__(self, wake: Callable[[RunT], None]) -> None:
        self._wake = wake
        self._used: Counter[str] = Counter()
        self._lines: dict[str, dict[RunT, None]] = {}

    def take(self, run: RunT, key: str, most: int) -> bool:
        """Take one of ``most`` slots under a key, or stand in line and return False."""
        if self._used[key] >= most:
            self._lines.setdefault(key, {})[run] = None
            return False
        self._used[key] += 1
        return True

    def retake(self, key: str) -> None:
        """Take a slot for a step that runs already, even beyond the limit."""
        self._used[key] += 1

    def give(self, key: str) -> None:
        """Return a slot."""
        self._used[key] -= 1
        if not self._used[key]:
            del self._used[key]
        for run in self._lines.pop(key, ()):
            self._wake(run)

    def leave(self, run: RunT) -> None:
        """Step out of every line."""
        for key in [key for key, line in self._lines.items() if line.pop(run, self) is None and not line]:
            del self._lines[key]
