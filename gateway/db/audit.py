"""The audit log: who signed in and who changed which engine."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert

from gateway.db.tables import audit_log

KEEP_MS = 365 * 24 * 60 * 60 * 1000


def record(connection: Connection, actor: str, action: str, subject: str, now_ms: int) -> None:
    """Enter one act, in the transaction that performs it."""
    connection.execute(insert(audit_log).values(at_ms=now_ms, actor=actor, action=action, subject=subject))


def purge(connection: Connection, now_ms: int) -> None:
    """Forget what is older than a year."""
    connection.execute(delete(audit_log).where(audit_log.c.at_ms < now_ms - KEEP_MS))
