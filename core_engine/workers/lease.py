"""A worker's lease on one step: renewed while the step runs, given up by the worker itself before the engine does."""

from __future__ import annotations

import asyncio

from core_engine.storage.claims_work import Claimed, ClaimedWork
from shared.clock import Clock
from shared.errors import FloworkError

LOOK_SECONDS = 0.4
"""How often a worker looks whether its step is still wanted: a stop must reach it within a second."""
_RENEWALS = 5
_LAST_PART = 0.8


class Lease:
    """The time for which a step is this worker's; counted from before the answer that gave it, so never too long."""

    def __init__(self, work: ClaimedWork, claimed: Claimed, clock: Clock, since: float) -> None:
        self._work = work
        self._claimed = claimed
        self._clock = clock
        self._renewed = since

    @property
    def left(self) -> float:
        """Seconds until this worker must have killed the step, if nothing renews the lease; not below 0."""
        return self._until(self._claimed.lease_seconds * _LAST_PART)

    @property
    def left_to_write(self) -> float:
        """Seconds in which a result can still be written; not below 0."""
        return self._until(self._claimed.lease_seconds)

    async def keep(self) -> None:
        """Keep the lease as long as the engine leaves it to us; return when it does not.

        While the database cannot be reached the lease runs out: see `left`.
        """
        every = self._claimed.lease_seconds / _RENEWALS
        while True:
            await asyncio.sleep(min(LOOK_SECONDS, every))
            asked = self._clock.monotonic()
            try:
                if asked - self._renewed < every:
                    ours = await self._work.holds(self._claimed)
                else:
                    ours = await self._work.renew(self._claimed)
                    self._renewed = asked if ours else self._renewed
            except FloworkError:
                continue
            if not ours:
                return

    def _until(self, seconds: float) -> float:
        return max(0.0, self._renewed + seconds - self._clock.monotonic())
