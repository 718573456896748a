"""Remembers which signed messages were used, for as long as their signed time could still be accepted."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from typing_extensions import override

from shared.errors import ErrorCode, FloworkError

GRACE_MS = 60_000
_BUCKET_MS = 10_000


class ReplayEntry(msgspec.Struct, frozen=True, gc=False):
    """A used message: its key and the Unix ms after which it may be forgotten. Store it before acting on it."""

    key: bytes
    expires_ms: int


def remembered_until(at_ms: int, window_ms: int) -> int:
    """Return until when (Unix ms) a message signed at ``at_ms`` must be remembered.

    ``window_ms`` is the whole width of accepted times, half of it on each side; the grace covers a clock that
    is stepped back a little. Stores may find a key by its end: a version that changes what is returned has to give
    the stored keys their new ends.
    """
    return at_ms + window_ms // 2 + GRACE_MS


class ReplayWindow:
    """Admits each key once. It only remembers in memory: persisting the entries is the caller's part.

    ``window_ms`` is the whole width of accepted times (600 000 for ±300 s), ``capacity`` the number of keys held at
    the same time. Keys lie in buckets by expiry, so that forgetting costs nothing per key. It fails closed: when it
    is full it refuses, and a message whose bucket is already forgotten is refused as stale, also if the clock
    was set back.
    """

    def __init__(self, window_ms: int = 600_000, capacity: int = 2_000_000) -> None:
        self._window_ms = window_ms
        self._capacity = capacity
        self._buckets: dict[int, set[bytes]] = {}
        self._held = 0
        self._first = 0

    def __len__(self) -> int:
        return self._held

    def admit(self, key: bytes, at_ms: int, now_ms: int) -> ReplayEntry:
        """Use a message whose signed time is ``at_ms``, and return the entry to store.

        The same key must always come with the same ``at_ms`` (it is part of the text that makes the key).
        Raises `FloworkError` REPLAYED if the key was used, STALE if it is too old to tell, RATE_LIMITED if full.
        """
        entry = ReplayEntry(key, remembered_until(at_ms, self._window_ms))
        self.use(entry, now_ms)
        return entry

    def use(self, entry: ReplayEntry, now_ms: int) -> None:
        """Do what `admit` does for an entry that another process made of a message; raises the same."""
        self._forget(now_ms)
        number = entry.expires_ms // _BUCKET_MS
        if number < self._first:
            raise FloworkError(
                ErrorCode.STALE, "The signed time lies before what the replay guard still remembers."
            )
        bucket = self._buckets.setdefault(number, set())
        if entry.key in bucket:
            raise FloworkError(ErrorCode.REPLAYED, "This signed message was used before; sign a fresh one.")
        if self._held >= self._capacity:
            raise FloworkError(
                ErrorCode.RATE_LIMITED,
                "Too many signed messages within the accepted time; try again later.",
                retry_after=_BUCKET_MS / 1000,
            )
        bucket.add(entry.key)
        self._held += 1

    def load(self, entries: Iterable[ReplayEntry], now_ms: int) -> None:
        """Remember the stored entries of an earlier process; expired ones are left out."""
        self._forget(now_ms)
        for entry in entries:
            number = entry.expires_ms // _BUCKET_MS
            if number >= self._first:
                bucket = self._buckets.setdefault(number, set())
                self._held += entry.key not in bucket
                bucket.add(entry.key)

    def _forget(self, now_ms: int) -> None:
        first = now_ms // _BUCKET_MS
        if first <= self._first:
            return
        self._first = first
        for number in [number for number in self._buckets if number < first]:
            self._held -= len(self._buckets.pop(number))


class UncheckedReplays(ReplayWindow):
    """Admits everything: for a process that verifies messages and passes them on to the one that remembers."""

    @override
    def use(self, entry: ReplayEntry, now_ms: int) -> None:
        """Remember nothing."""
