"""Keeps the storage in bounds while the engine runs: forgets used messages and deletes history."""

from __future__ import annotations

import asyncio
import logging

from core_engine.storage import EngineStore
from core_engine.workflow.retention import Retention
from shared.clock import Clock
from shared.errors import FloworkError

_log = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0
SWEEP_SECONDS = 3600.0


class Housekeeping:
    """Tidies the store again and again."""

    def __init__(self, store: EngineStore, retention: Retention, clock: Clock) -> None:
        self._store = store
        self._retention = retention
        self._clock = clock

    async def run(self) -> None:
        """Tidy until this is cancelled."""
        due = 0.0
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                await self._store.forget_replay(self._clock.now_ms())
                if self._clock.monotonic() > due:
                    due = self._clock.monotonic() + SWEEP_SECONDS
                    await self._retention.sweep()
            except FloworkError as error:
                _log.warning("could not tidy the storage", extra={"reason": error.message})
