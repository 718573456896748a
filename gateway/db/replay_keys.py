"""Signed requests that were accepted, remembered until their time window has passed, also across a restart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from gateway.db.database import Database
from gateway.db.key_stores import ServerKeys, SqliteKeys
from gateway.db.running import Run, Signal, directly
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

PURGE_EVERY_MS = 60_000
MOST_AT_ONCE = 500


class Store(Protocol):
    """Where the keys are kept."""

    def enter(self, keys: Sequence[tuple[bytes, int]], purge_ms: int | None) -> list[bool]:
        """Enter keys with their ends, and tell of each whether it is new; forget those that ended by ``purge_ms``."""
        ...


class _Request:
    """A request that waits for its key to be on disk; ``is_new`` is told then, or ``error``.

    It is ``woken`` when that is told, or when it has its turn to write; each write before it ends, as writers' waits
    do.
    """

    __slots__ = ("error", "expires_ms", "has_turn", "is_new", "key", "woken")

    def __init__(self, key: bytes, expires_ms: int, woken: Signal) -> None:
        self.key = key
        self.expires_ms = expires_ms
        self.is_new: bool | None = None
        self.error: FloworkError | None = None
        self.has_turn = False
        self.woken = woken


class ReplayKeys:
    """The store of used keys; expired ones are purged about once a minute.

    Requests that arrive while keys are being written wait, and the first of them writes the keys of all: one
    transaction, one sync. None is answered before its own key is on disk. The next write begins before the answers
    of the last one are made, so that the disk and the processor work at the same time. ``run`` runs what waits for
    the disk, ``signal`` makes what a request waits for, ``lock`` one that need not know green threads: nothing waits
    while it is held.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        run: Run = directly,
        signal: Callable[[], Signal] = threading.Event,
        lock: Callable[[], AbstractContextManager[Any]] = threading.Lock,
    ) -> None:
        self._store: Store = ServerKeys(database) if database.file is None else SqliteKeys(database, run)
        self._clock = clock
        self._signal = signal
        self._purge_at = 0
        self._lock = lock()
        self._waiting: list[_Request] = []  # none of them has the turn to write but the first
        self._is_taken = False

    def admit(self, key: bytes, expires_ms: int) -> None:
        """Remember a key until ``expires_ms``; raises REPLAYED if it is there already, BUSY or STORAGE_FULL."""
        request = _Request(key, expires_ms, self._signal())
        try:
            if not self._begin(request):
                request.woken.wait()
            if request.has_turn:
                self._settle()
        finally:  # who waits no longer leaves no key that others would write for a request that was refused
            if request.is_new is None and request.error is None:
                self._withdraw(request)
        if request.error is not None:
            raise request.error
        if not request.is_new:
            raise FloworkError(ErrorCode.REPLAYED, "This signed request was already used; sign a fresh one.")

    def _begin(self, request: _Request) -> bool:
        """Queue a request; tell whether it has the turn at once."""
        with self._lock:
            self._waiting.append(request)
            if not self._is_taken:
                self._is_taken = request.has_turn = True
        return request.has_turn

    def _withdraw(self, request: _Request) -> None:
        with self._lock:
            if request not in self._waiting:  # a write has begun with it
                return
            self._waiting.remove(request)
        if request.has_turn:
            self._pass_on()

    def _pass_on(self) -> None:
        """Give the turn to the longest waiting."""
        with self._lock:
            first = self._waiting[0] if self._waiting else None
            self._is_taken = first is not None
            if first is not None:
                first.has_turn = True
        if first is not None:
            first.woken.set()

    def _settle(self) -> None:
        """Write the keys of those that wait, the longest waiting first, which is whoever called."""
        with self._lock:
            batch = self._waiting[:MOST_AT_ONCE]
            del self._waiting[: len(batch)]
        failure: FloworkError | None = None
        try:
            self._write(batch)
        except FloworkError as error:
            failure = error
        finally:  # whatever happened: nobody else would settle them
            self._pass_on()
            for each in batch:
                if each.is_new is None:
                    each.error = failure or _failed()
                each.woken.set()
        time.sleep(0)  # so that the next write begins, too, before this request's answer is made

    def _write(self, batch: Sequence[_Request]) -> None:
        now_ms = self._clock.now_ms()
        purge_ms = now_ms if now_ms >= self._purge_at else None
        news = self._store.enter([(each.key, each.expires_ms) for each in batch], purge_ms)
        for each, is_new in zip(batch, news, strict=True):
            each.is_new = is_new
        if purge_ms is not None:
            self._purge_at = now_ms + PURGE_EVERY_MS


def _failed() -> FloworkError:
    return FloworkError(ErrorCode.INTERNAL, "The gateway could not note this request.")
