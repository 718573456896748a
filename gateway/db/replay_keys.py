"""Signed requests that were accepted, remembered until their time window has passed, also across a restart."""

from __future__ import annotations

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from gateway.db.database import Database
from gateway.db.tables import replay_keys
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

PURGE_EVERY_MS = 60_000


class ReplayKeys:
    """The store of used keys; expired ones are purged about once a minute."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._purge_at = 0

    def admit(self, key: bytes, expires_ms: int) -> None:
        """Remember a key until ``expires_ms``; raises REPLAYED if it is there already."""
        now_ms = self._clock.now_ms()
        try:
            with self._database.write() as connection:
                if now_ms >= self._purge_at:
                    connection.execute(delete(replay_keys).where(replay_keys.c.expires_ms <= now_ms))
                    self._purge_at = now_ms + PURGE_EVERY_MS
                connection.execute(insert(replay_keys).values(key=key, expires_ms=expires_ms))
        except IntegrityError as error:
            raise FloworkError(
                ErrorCode.REPLAYED, "This signed request was already used; sign a fresh one."
            ) from error
