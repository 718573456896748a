"""What the gateway forgets with time: everything that has expired, in rounds that any process may do."""

from __future__ import annotations

from sqlalchemy import delete, select

from gateway.db import audit
from gateway.db.billing_tables import usage_counts
from gateway.db.database import Database
from gateway.db.tables import audit_log, claim_requests, replay_keys, socket_sessions, users, workflow_shares
from shared.clock import Clock

DAY_MS = 24 * 60 * 60 * 1000
_EXPIRING = (replay_keys, socket_sessions, claim_requests, workflow_shares)


class Sweeper:
    """Deletes what has expired. Twice, or in two processes at once, changes nothing more."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def sweep(self) -> None:
        """Do one round: signatures and sessions, claims and links, entries of the audit log older than a year."""
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            for table in _EXPIRING:
                connection.execute(delete(table).where(table.c.expires_ms <= now_ms))
        with self._database.write() as connection:
            # Another process may have written down a last count of an account after it was deleted.
            gone = select(audit_log.c.actor).where(
                audit_log.c.action == "account_delete", audit_log.c.at_ms > now_ms - DAY_MS
            )
            known = select(users.c.address)
            usage = usage_counts.c.address
            connection.execute(delete(usage_counts).where(usage.in_(gone), usage.not_in(known)))
        with self._database.write() as connection:
            audit.purge(connection, now_ms)
