"""The table of used keys: with SQLite in a file of its own beside the database, elsewhere in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import chain

from sqlalchemy import delete

from gateway.db.database import TRANSLATED, Database, busy, connect_sqlite, is_busy
from gateway.db.running import Run
from gateway.db.tables import replay_keys
from gateway.db.upsert import insert_on_conflict

SIGNATURES = "-signatures"
"""What stands behind the name of the database's file in that of the keys; migration 0041 knows it, too."""

_TABLE = (
    "CREATE TABLE IF NOT EXISTS replay_keys (key BLOB NOT NULL, expires_ms INTEGER NOT NULL, "
    "PRIMARY KEY (expires_ms, key)) WITHOUT ROWID"
)
_ENTER = "INSERT INTO replay_keys (key, expires_ms) VALUES (?, ?) ON CONFLICT DO NOTHING"
_ENTER_ALL = "INSERT INTO replay_keys (key, expires_ms) VALUES "
_PURGE = "DELETE FROM replay_keys WHERE expires_ms <= ?"


class SqliteKeys:
    """Keys in a file of SQLite. Its connection is used by one writer at a time, on whichever thread ``run`` chooses.

    They come with every request and are asked for by nobody else. In the database's own file each write of them would
    be news for all that is remembered of it, and would wait for other writers, and these for it.
    """

    def __init__(self, database: Database, run: Run) -> None:
        self._file = f"{database.file}{SIGNATURES}"
        self._run = run
        self._connection: sqlite3.Connection | None = None
        database.close_too(self._close)
        # One after the other, also of several processes: SQLite refuses those that make one file at once. What else is
        # wrong with it is told with each request, and the gateway runs.
        with database.write(), suppress(sqlite3.Error):
            self._open()

    def enter(self, keys: Sequence[tuple[bytes, int]], purge_ms: int | None) -> list[bool]:
        """Enter keys with their ends, and tell of each whether it is new; forget those that ended by ``purge_ms``."""
        with TRANSLATED:
            return self._run(partial(self._enter, keys, purge_ms))

    def _enter(self, keys: Sequence[tuple[bytes, int]], purge_ms: int | None) -> list[bool]:
        try:
            connection = self._connection or self._open()
            if purge_ms is None and _are_new(connection, keys):
                return [True] * len(keys)
            connection.execute("BEGIN IMMEDIATE")
            if purge_ms is not None:
                connection.execute(_PURGE, (purge_ms,))
            news = [connection.execute(_ENTER, key).rowcount == 1 for key in keys]
            connection.execute("COMMIT")
        except BaseException as error:
            # Not rolled back: what is left of a connection after a full disk is not to be relied on.
            self._close()
            if isinstance(error, sqlite3.OperationalError) and is_busy(error):
                raise busy() from error
            raise
        return news

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        made = connect_sqlite(self._file)
        try:
            made.execute(_TABLE)
        except BaseException:
            made.close()
            raise
        self._connection = made
        return made


def _are_new(connection: sqlite3.Connection, keys: Sequence[tuple[bytes, int]]) -> bool:
    """Enter keys by one statement, a transaction of its own; enter none and tell so where one of them is not new.

    Each statement more is one more wait for the interpreter, which others use meanwhile.
    """
    try:
        connection.execute(_ENTER_ALL + ", ".join(["(?, ?)"] * len(keys)), list(chain.from_iterable(keys)))
    except sqlite3.IntegrityError:
        return False
    return True


class ServerKeys:
    """Keys in a database that is asked over a network, or in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        dialect = "sqlite" if database.is_sqlite else "postgresql"
        self._insert = insert_on_conflict(dialect, replay_keys)

    def enter(self, keys: Sequence[tuple[bytes, int]], purge_ms: int | None) -> list[bool]:
        """Enter keys with their ends, and tell of each whether it is new; forget those that ended by ``purge_ms``."""
        # In one order everywhere: two gateways that enter the same keys would wait for each other otherwise.
        rows = [{"key": key, "expires_ms": expires_ms} for key, expires_ms in sorted(dict(keys).items())]
        with self._database.write() as connection:
            if purge_ms is not None:
                connection.execute(delete(replay_keys).where(replay_keys.c.expires_ms <= purge_ms))
            query = self._insert.values(rows).on_conflict_do_nothing().returning(replay_keys.c.key)
            fresh = {bytes(key) for key in connection.execute(query).scalars()}
        news = []
        for key, _ in keys:
            news.append(key in fresh)
            fresh.discard(key)
        return news
