"""A point in time after which a wait gives up."""

from __future__ import annotations

import time

from shared.errors import ErrorCode, FloworkError


class Deadline:
    """Counts down from a number of seconds on the monotonic clock."""

    def __init__(self, seconds: float, what: str) -> None:
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self._what = what

    @property
    def over(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() >= self._end

    def left(self) -> float:
        """Return the seconds that remain; raises DEADLINE_EXCEEDED when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise FloworkError(
                ErrorCode.DEADLINE_EXCEEDED, f"No {self._what} within {self._seconds:g} seconds."
            )
        return left

    def sooner(self, seconds: float) -> float:
        """Return the given seconds, or what remains if that is less; raises as `left` does."""
        return min(seconds, self.left())
