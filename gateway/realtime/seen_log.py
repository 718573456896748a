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

    What is noted of the connected is written by the next `write`, that of all at once: with thousands of engines each
    one's own write would keep the disk busy. What cannot be written, because the database is held by somebody else or
    full, is left out: it is a note, for which no event of an engine is refused.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}
        self._waiting: dict[str, int] = {}

    def note(self, engine_id: str) -> None:
        """Take note of a sign of life."""
        now = self._clock.monotonic()
        if now - self._noted.get(engine_id, -EVERY_SECONDS) < EVERY_SECONDS:
            return
        with self._lock:
            self._noted[engine_id] = now
            self._waiting[engine_id] = self._clock.now_ms()

    def forget(self, engine_id: str) -> None:
        """Take note that an engine left, and write it down: lists of engines show that time from now on."""
        with self._lock:
            self._noted.pop(engine_id, None)
            self._waiting[engine_id] = self._clock.now_ms()
        self.write()

    def write(self) -> None:
        """Write down what was noted since the last time; to be called every few seconds, and at the end."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        try:
            with self._database.write() as connection:
                queries.touch(connection, waiting)
        except FloworkError as error:
            facts = {"engines": len(waiting), "reason": error.code.value}
            _log.warning("when engines were last heard is not written down", extra=facts)
