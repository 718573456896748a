"""Signed requests that were accepted, remembered until their time window has passed, also across a restart."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from gateway.db.database import Database
from gateway.db.key_stores import ServerKeys, SqliteKeys
from gateway.db.running import Run, directly
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

PURGE_EVERY_MS = 60_000
MOST_AT_ONCE = 500


class Store(Protocol):
    """Where the keys are kept."""

    def enter(self, keys: Sequence[tuple[bytes, int]], purge_ms: int | None) -> list[bool]:
        """Enter keys with their ends, and tell of each whether it is new; forget those that ended by ``purge_ms``."""
        ...


@dataclass(slots=True, eq=False)
class _Request:
    """A request that waits for its key to be on disk; ``is_new`` is told then, or ``error``."""

    key: bytes
    expires_ms: int
    is_new: bool | None = None
    error: FloworkError | None = None

    @property
    def is_settled(self) -> bool:
        return self.is_new is not None or self.error is not None


class ReplayKeys:
    """The store of used keys; expired ones are purged about once a minute.

    Requests that arrive while a key is being written wait, and the next of them writes the keys of all: one
    transaction, one sync. None is answered before its own key is on disk. ``run`` runs what waits for the disk.
    """

    def __init__(self, database: Database, clock: Clock, run: Run = directly) -> None:
        self._store: Store = ServerKeys(database) if database.file is None else SqliteKeys(database, run)
        self._clock = clock
        self._purge_at = 0
        self._turn = threading.Lock()
        self._waiting: list[_Request] = []

    def admit(self, key: bytes, expires_ms: int) -> None:
        """Remember a key until ``expires_ms``; raises REPLAYED if it is there already, BUSY or STORAGE_FULL."""
        request = _Request(key, expires_ms)
        self._waiting.append(request)
        try:
            while not request.is_settled:
                with self._turn:
                    if not request.is_settled:
                        self._settle()
        finally:  # who waits no longer leaves no key that others would write for a request that was refused
            if not request.is_settled:
                self._withdraw(request)
        if request.error is not None:
            raise request.error
        if not request.is_new:
            raise FloworkError(ErrorCode.REPLAYED, "This signed request was already used; sign a fresh one.")

    def _withdraw(self, request: _Request) -> None:
        with self._turn, suppress(ValueError):  # a write has begun with it
            self._waiting.remove(request)

    def _settle(self) -> None:
        """Write the keys of those that wait, the longest waiting first; whoever called is among them, or comes next."""
        batch = self._waiting[:MOST_AT_ONCE]
        del self._waiting[: len(batch)]
        now_ms = self._clock.now_ms()
        purge_ms = now_ms if now_ms >= self._purge_at else None
        failure = FloworkError(ErrorCode.INTERNAL, "The gateway could not note this request.")
        try:
            news = self._store.enter([(each.key, each.expires_ms) for each in batch], purge_ms)
        except FloworkError as error:
            failure = error
        else:
            for each, is_new in zip(batch, news, strict=True):
                each.is_new = is_new
            if purge_ms is not None:
                self._purge_at = now_ms + PURGE_EVERY_MS
        finally:  # whatever happened: nobody else would settle them
            for each in batch:
                if each.is_new is None:
                    each.error = failure
