"""Answers of the database that are given again for as long as nothing was written to it, by whichever process."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from gateway.db.database import Database

MOST = 10_000

KeyT = TypeVar("KeyT", bound=Hashable)
Value = TypeVar("Value")


class Remembered(Generic[KeyT, Value]):
    """What a query says of each key. Safe to use from several threads; callers must not change what they get.

    It is as fresh as a query: each use asks the database whether anything at all was committed since, and forgets
    everything if so. ``most`` keys are remembered at once. Where the database cannot tell that cheaply, or not now, it
    is queried.
    """

    def __init__(
        self, database: Database, query: Callable[[Connection, KeyT], Value], *, most: int = MOST
    ) -> None:
        self._database = database
        self._query = query
        self._most = most
        # In one piece: an answer must never get among those of a later state of the database.
        self._kept: tuple[int | None, dict[KeyT, Value]] = (None, {})

    def get(self, key: KeyT) -> Value:
        """Return what the database says of a key now."""
        state = self._database.state()
        if state is None:
            return self._ask(key)
        kept = self._kept
        if kept[0] != state:
            self._kept = kept = (state, {})
        known = kept[1]
        if key in known:
            return known[key]
        value = self._ask(key)
        if len(known) < self._most:
            known[key] = value
        return value

    def _ask(self, key: KeyT) -> Value:
        with self._database.read() as connection:
            return self._query(connection, key)
