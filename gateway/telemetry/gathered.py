"""Durations that are noted in a moment and go into the library's figures many at a time: each of these has a lock."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Sequence

from prometheus_client import Histogram

Take = Callable[[Sequence[float]], None]
"""Takes durations, in seconds, into a figure."""


class Durations(Histogram):
    """A histogram that takes several durations at once."""

    def observe_all(self, seconds: Sequence[float]) -> None:
        """Count each of them, as `observe` does."""
        self._sum.inc(sum(seconds))
        for bucket, count in Counter(bisect_left(self._upper_bounds, each) for each in seconds).items():
            self._buckets[bucket].inc(count)


class Gathered:
    """Durations of one kind on their way to its figures; fewer than ``most`` wait. Safe to use from several threads."""

    __slots__ = ("_figures", "_most", "_waiting")

    def __init__(self, most: int, *figures: Take) -> None:
        self._most = most
        self._figures = figures
        self._waiting: deque[float] = deque()

    def add(self, seconds: float) -> None:
        """Note one."""
        self._waiting.append(seconds)
        if len(self._waiting) >= self._most:
            self.hand_over()

    def hand_over(self) -> None:
        """Have all that wait counted."""
        taken: list[float] = []
        try:
            while True:  # one by one: another thread may be at it, too
                taken.append(self._waiting.popleft())
        except IndexError:
            pass
        if taken:
            for take in self._figures:
                take(taken)
