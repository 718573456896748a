"""How long to wait before the next attempt: exponential with full jitter, so that engines do not return in step."""

from __future__ import annotations

from collections.abc import Callable

FIRST_SECONDS = 0.5
LEAST_SECONDS = 0.05


class Backoff:
    """Counts attempts. ``random`` gives numbers from 0 to 1."""

    def __init__(self, longest_seconds: float, random: Callable[[], float]) -> None:
        self._longest = longest_seconds
        self._random = random
        self._attempts = 0

    def next(self) -> float:
        """Return the seconds to wait after one more failed attempt."""
        ceiling = min(self._longest, FIRST_SECONDS * 2.0 ** min(self._attempts, 30))
        self._attempts += 1
        return max(LEAST_SECONDS, self._random() * ceiling)

    def slow(self) -> float:
        """Return the seconds to wait where trying again soon is pointless."""
        return self._longest * (0.75 + 0.5 * self._random())

    def reset(self) -> None:
        """Forget the failures: the connection has proven stable."""
        self._attempts = 0
