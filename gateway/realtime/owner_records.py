"""Keeps the gateway's record of an engine's owner in step with the engine, which is the authority on it."""

from __future__ import annotations

import logging

from gateway.db import audit
from gateway.db.database import Database
from gateway.resources.accounts.service import register
from gateway.resources.engines import queries
from shared.clock import Clock
from shared.ids import is_address, same_address

_log = logging.getLogger(__name__)


class OwnerRecords:
    """Records the owner an engine reports.

    A claim is pinned by the engine first; if the gateway dies before it has recorded it too, the engine's next
    ``engine_ready`` makes up for it.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def reconcile(self, engine_id: str, reported: str | None) -> None:
        """Record a reported owner where none is known; log a contradiction and leave the record alone."""
        if reported is None or not is_address(reported):
            return
        owner = reported.lower()
        row = queries.find(self._database, engine_id)
        if row is None:
            return
        if row.owner_address is not None:
            if not same_address(row.owner_address, owner):
                _log.warning("an engine names another owner than the gateway", extra={"engine_id": engine_id})
            return
        register(self._database, self._clock, owner)
        with self._database.write() as connection:
            if queries.set_first_owner(connection, engine_id, owner):
                audit.record(connection, owner, "engine_owner_reported", engine_id, self._clock.now_ms())
