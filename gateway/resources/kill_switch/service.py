"""What operators do with the kill switch, and what engines read of it."""

from __future__ import annotations

import re

from gateway.db import audit
from gateway.db.database import Database
from gateway.realtime.engine_links import EngineLinks
from gateway.resources.kill_switch import queries
from gateway.resources.kill_switch.queries import DisabledRow
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

MOST = 1000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class KillSwitch:
    """The switched-off components; every connected engine is told of a change."""

    def __init__(self, database: Database, clock: Clock, links: EngineLinks) -> None:
        self._database = database
        self._clock = clock
        self._links = links

    def listing(self) -> list[DisabledRow]:
        """Return them all, by id."""
        with self._database.read() as connection:
            return queries.all_disabled(connection)

    def disable(self, admin: str, component_id: str, reason: str) -> None:
        """Switch a component off; raises INVALID_REQUEST for what cannot be an id, CONFLICT at the limit."""
        if _ID.fullmatch(component_id) is None:
            raise FloworkError(
                ErrorCode.INVALID_REQUEST, "A component's id has letters, digits and _ . - only."
            )
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            queries.put(connection, DisabledRow(component_id, reason, admin, now_ms))
            if queries.count(connection) > MOST:
                raise FloworkError(ErrorCode.CONFLICT, f"At most {MOST} components can be switched off.")
            audit.record(connection, admin, "component_disable", component_id[:64], now_ms)
        self._links.announce_disabled()

    def enable(self, admin: str, component_id: str) -> None:
        """Let a component run again; raises NOT_FOUND."""
        with self._database.write() as connection:
            if not queries.remove(connection, component_id):
                raise FloworkError(ErrorCode.NOT_FOUND, "This component is not switched off.")
            audit.record(connection, admin, "component_enable", component_id[:64], self._clock.now_ms())
        self._links.announce_disabled()
