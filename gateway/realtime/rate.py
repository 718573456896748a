"""How many events a connection may send: a token bucket with the time as a parameter."""

from __future__ import annotations


class TokenBucket:
    """Refills at a steady rate up to ``burst``; who finds it empty is refused.

    ``refused`` grows with each refusal and falls with each token taken: it shows who does not slow down.
    """

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._rate = per_second
        self._burst = burst
        self._tokens = burst
        self._at = now
        self.refused = 0

    def take(self, now: float) -> float:
        """Take a token and return 0, or return the seconds until there is one and count the refusal."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            self.refused = max(0, self.refused - 1)
            return 0.0
        self.refused += 1
        return (1 - self._tokens) / self._rate
