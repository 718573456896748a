"""What the storage needs of a connection to its database: SQLite's own, or one to PostgreSQL that behaves like it.

The statements are written so that both understand them: ``?`` for a parameter, ``ON CONFLICT`` instead of
SQLite's ``OR REPLACE``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol


class Answer(Protocol):
    """The rows that a statement gave."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    def fetchone(self) -> Any:
        """Return the next row, or None."""

    def fetchall(self) -> list[Any]:
        """Return all rows."""

    def __iter__(self) -> Iterator[Any]: ...


class Link(Protocol):
    """A connection in autocommit mode: a statement outside of ``BEGIN IMMEDIATE`` … ``COMMIT`` stands alone."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Answer:
        """Run a statement."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Any:
        """Run a statement once for each row of parameters."""

    def close(self) -> None:
        """Close the connection."""


class RemoteError(sqlite3.Error):
    """An error of a database server, of the family that the storage knows already.

    ``passing`` tells that the same may succeed later: nothing of the transaction was stored.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class LostContactError(RemoteError):
    """The server cannot be reached, or went away; nothing of the transaction was stored."""

    def __init__(self, message: str) -> None:
        super().__init__(message, passing=True)


class TakenKeyError(RemoteError, sqlite3.IntegrityError):
    """There is a row with that key already."""
