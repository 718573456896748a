"""Reads of SQLite with nothing between the query and its rows."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.exc import DBAPIError

Rows = list[tuple[Any, ...]]
Value = str | int | None


class DirectReads:
    """Answers single queries. Each is a transaction of its own, so it sees all that was committed before it.

    As many connections are kept as were ever in use at once; that is one, but where the process has real threads.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._free: deque[sqlite3.Connection] = deque()
        self._closed = False

    def rows(self, text: str, values: Mapping[str, Value]) -> Rows:
        """Return what a query says now; raises what SQLAlchemy would."""
        try:
            connection = self._free.pop()
        except IndexError:
            connection = self._connect()
        try:
            found = connection.execute(text, values).fetchall()
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.Error):
                raise DBAPIError.instance(text, None, error, sqlite3.Error) from error
            raise
        self._free.append(connection)
        if self._closed:
            self.close()
        return found

    def close(self) -> None:
        """Close the connections; one that is in use closes after that."""
        self._closed = True
        while self._free:
            self._free.pop().close()
