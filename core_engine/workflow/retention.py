"""How long ended runs are kept: by age, by number and by size, oldest first."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from core_engine.storage import EngineStore
from shared.clock import Clock

_LOG = logging.getLogger(__name__)

DAY_MS = 24 * 60 * 60 * 1000
MB = 1024 * 1024
PORTION = 1000
_ANY_TIME = 2**62
LOW_WATER = 0.9
"""What is too large is made this much of the limit, so that not every hour deletes again."""


@dataclass(frozen=True, slots=True)
class KeepLimits:
    """How much history is kept: days since a run's end, number of ended runs, megabytes; 0 means without limit."""

    days: float
    runs: int
    megabytes: int


class Retention:
    """Deletes ended runs beyond the limits; a run that is under way, and what it started, is never touched."""

    def __init__(self, store: EngineStore, clock: Clock, limits: KeepLimits) -> None:
        self._store = store
        self._clock = clock
        self._limits = limits

    async def sweep(self) -> int:
        """Delete what is too old, too many or too large; return how many runs went."""
        gone = await self._too_old() + await self._too_many() + await self._too_large()
        if gone:
            _LOG.info("old runs were deleted", extra={"runs": gone})
        return gone

    async def _too_old(self) -> int:
        if not self._limits.days:
            return 0
        return await self._store.delete_runs(self._clock.now_ms() - int(self._limits.days * DAY_MS))

    async def _too_many(self) -> int:
        if not self._limits.runs:
            return 0
        extra = await self._store.count_ended() - self._limits.runs
        return await self._store.delete_runs(_ANY_TIME, extra) if extra > 0 else 0

    async def _too_large(self) -> int:
        limit = self._limits.megabytes * MB
        if not limit or await self._store.size() <= limit:
            return 0
        gone = 0
        while await self._store.size() > limit * LOW_WATER:
            deleted = await self._store.delete_runs(_ANY_TIME, PORTION)
            gone += deleted
            if not deleted:
                break
        return gone
