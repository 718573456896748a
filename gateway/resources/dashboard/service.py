"""The dashboard's summary: the engine's figures, beside what only the gateway knows."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from gateway.db.database import Database
from gateway.realtime.engine_calls import EngineCalls
from gateway.resources.engine_shares import queries as shares
from gateway.resources.engines import queries as engines
from shared.contract.dashboard import DashboardSummary, empty_stats
from shared.contract.proxy import LiveStats
from shared.errors import FloworkError

_log = logging.getLogger(__name__)


class Dashboard:
    """Asks the caller's engine; a page polls this, so an engine that is away is no error of the page's."""

    def __init__(self, database: Database, calls: EngineCalls) -> None:
        self._database = database
        self._calls = calls

    def summary(self, caller: str, wanted: str | None) -> DashboardSummary:
        """Return the figures, with zeroes where no engine answers."""
        with self._database.read() as connection:
            own = engines.count_owned_by(connection, caller)
            shared = len(shares.of_guest(connection, caller))
        stats = self._stats(caller, wanted) or empty_stats()
        return DashboardSummary(**stats.model_dump(), total_engines=own, total_shared_with_me=shared)

    def _stats(self, caller: str, wanted: str | None) -> LiveStats | None:
        try:
            told = self._calls.get(caller, "/engine/live-stats", wanted=wanted)
            return LiveStats.model_validate(told.value) if told.status == 200 else None
        except FloworkError:
            return None
        except ValidationError:
            _log.info("an engine's figures are not understood")
            return None
