"""How many messages a connection may send: a token bucket with the time as a parameter."""

from __future__ import annotations


class TokenBucket:
    """Refills at a steady rate up to one second's worth; a caller takes a token for each thing it does."""

    def __init__(self, per_second: float, now: float) -> None:
        self._rate = per_second
        self._tokens = per_second
        self._at = now

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take tokens and return 0, or take none and return the seconds until they are there."""
        self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= cost:
            self._tokens -= cost
            return 0.0
        return (min(cost, self._rate) - self._tokens) / self._rate

    def penalise(self, cost: float) -> None:
        """Take tokens that may not be there yet: the caller pays for work it has already caused."""
        self._tokens = max(-self._rate, self._tokens - cost)
