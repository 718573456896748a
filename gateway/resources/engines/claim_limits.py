"""How often an engine is asked to judge a claim: one at a time, and not without end."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

ATTEMPTS = 20
WINDOW_SECONDS = 60.0


class ClaimLimits:
    """Counts claims per engine; engines without a recent attempt are forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._recent: dict[str, deque[float]] = {}
        self._running: set[str] = set()

    @contextmanager
    def attempt(self, engine_id: str) -> Iterator[None]:
        """Let one claim of an engine run; raises RATE_LIMITED."""
        self._begin(engine_id)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(engine_id)

    def _begin(self, engine_id: str) -> None:
        now = self._clock.monotonic()
        with self._lock:
            self._forget(now - WINDOW_SECONDS)
            recent = self._recent.setdefault(engine_id, deque())
            if len(recent) >= ATTEMPTS:
                wait = recent[0] + WINDOW_SECONDS - now
                raise _too_many("Too many claims of this engine; wait before the next.", max(1.0, wait))
            if engine_id in self._running:
                raise _too_many("Another claim of this engine is being judged.", 1.0)
            recent.append(now)
            self._running.add(engine_id)

    def _forget(self, before: float) -> None:
        for engine_id, recent in list(self._recent.items()):
            while recent and recent[0] <= before:
                recent.popleft()
            if not recent:
                del self._recent[engine_id]


def _too_many(message: str, wait: float) -> FloworkError:
    return FloworkError(ErrorCode.RATE_LIMITED, message, retry_after=wait)
