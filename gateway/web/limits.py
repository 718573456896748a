"""How many requests are answered: counted by `flask-limiter`, in memory or in the Redis that processes share.

Whoever proved who they are is counted by that, not by where the request comes from: behind a tunnel everybody has the
same address, and nobody shall be able to use up what belongs to others.
"""

from __future__ import annotations

import logging
import math
from typing import Any

from flask import Flask, Request
from flask_limiter import Limiter
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from gateway.settings import Limits
from gateway.web.peers import Peers
from shared.clock import Clock
from shared.contract.base import Operation, Rate
from shared.errors import ErrorCode, FloworkError

STRATEGY = "sliding-window-counter"
PREFIX = "flowork-rate"
ALONE_SECONDS = 5.0
REDIS_OPTIONS = {"wrap_exceptions": True, "socket_connect_timeout": 2, "socket_timeout": 2}

_log = logging.getLogger(__name__)


class RateLimits:
    """Counts requests and refuses with RATE_LIMITED and the time to wait.

    ``redis_url`` is empty for counting in memory. While Redis does not answer each process counts for itself.
    """

    def __init__(self, app: Flask, settings: Limits, peers: Peers, clock: Clock, redis_url: str) -> None:
        self._settings = settings
        self._peers = peers
        self._clock = clock
        self._limiter = Limiter(
            key_func=lambda: "",  # keys are given with each count
            storage_uri=redis_url or "memory://",
            storage_options=dict(REDIS_OPTIONS) if redis_url else {},
            strategy=STRATEGY,
        )
        # Entered before it looks: it would search for limits of its own around each request, and there are none.
        app.extensions.setdefault("limiter", set()).add(self._limiter)
        self._limiter.init_app(app)
        self._alone_until = -math.inf
        self._alone: RateLimiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def arrive(self, environ: dict[str, Any]) -> None:
        """Count a request of any kind, or the begin of a Socket.IO connection."""
        who = self._peers.of(environ)
        self._count(self._settings.per_ip, "requests from this network address", "ip", who)

    def refuse(self, request: Request) -> None:
        """Count a request whose proof did not hold."""
        self._unproven(request)

    def admit(self, operation: Operation, caller: str | None, request: Request) -> None:
        """Count a call of an operation by whoever proved to be its caller, or by its network address."""
        if caller is not None:
            self._count(self._settings.per_address, "requests of this identity", "caller", caller)
        elif operation.rate is Rate.NORMAL:
            self._unproven(request)
        if operation.rate is Rate.STRICT:
            who = caller or self._ip(request)
            self._count(self._settings.strict, "calls of this kind", operation.name, who)

    def _unproven(self, request: Request) -> None:
        what = "unsigned requests from this network address"
        self._count(self._settings.unauthenticated, what, "unproven", self._ip(request))

    def _ip(self, request: Request) -> str:
        return self._peers.of(request.environ)

    def _count(self, most: int, what: str, *key: str) -> None:
        if not most:
            return
        limit = RateLimitItemPerMinute(most)
        wait = self._hit_shared(limit, key)
        if wait is not None:
            message = f"Too many {what}: at most {most} a minute."
            raise FloworkError(ErrorCode.RATE_LIMITED, message, retry_after=wait)

    def _hit_shared(self, limit: RateLimitItem, key: tuple[str, ...]) -> float | None:
        now = self._clock.monotonic()
        if now >= self._alone_until:
            try:
                return self._hit(self._limiter.limiter, limit, key)
            except StorageError as error:
                self._alone_until = now + ALONE_SECONDS
                reason = type(error.storage_error).__name__
                _log.warning("rate limits are counted by this process alone", extra={"reason": reason})
        return self._hit(self._alone, limit, key)

    def _hit(self, counter: RateLimiter, limit: RateLimitItem, key: tuple[str, ...]) -> float | None:
        if counter.hit(limit, PREFIX, *key):
            return None
        until = counter.get_window_stats(limit, PREFIX, *key).reset_time - self._clock.now_ms() / 1000
        return float(max(1, math.ceil(min(until, 60.0))))
