"""Writes down when engines were last heard, so that it is known after a restart; not at every ping."""

from __future__ import annotations

import logging
import threading

from gateway.db.database import Database
from gateway.resources.engines import queries
from shared.clock import Clock
from shared.errors import FloworkError

EVERY_SECONDS = 30.0
_log = logging.getLogger(__name__)


class SeenLog:
    """Persists the sign of life of each connected engine at most every half minute, and when it leaves.

    What cannot be written, because the database is held by somebody else or full, is left out: it is a note, for which
    no event of an engine is refused.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._written: dict[str, float] = {}

    def note(self, engine_id: str) -> None:
        """Take note of a sign of life."""
        now = self._clock.monotonic()
        with self._lock:
            if now - self._written.get(engine_id, -EVERY_SECONDS) < EVERY_SECONDS:
                return
            self._written[engine_id] = now
        self._write(engine_id)

    def forget(self, engine_id: str) -> None:
        """Take note that an engine left."""
        with self._lock:
            self._written.pop(engine_id, None)
        self._write(engine_id)

    def _write(self, engine_id: str) -> None:
        try:
            with self._database.write() as connection:
                queries.touch(connection, engine_id, self._clock.now_ms())
        except FloworkError as error:
            facts = {"engine_id": engine_id, "reason": error.code.value}
            _log.warning("when an engine was last heard is not written down", extra=facts)
