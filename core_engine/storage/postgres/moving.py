"""Brings what an engine has in its own files over into a new schema: the way from one machine to several."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from core_engine.storage.blobs import BlobFiles
from core_engine.storage.postgres.link import PostgresLink
from core_engine.storage.schema import prepare

_LOG = logging.getLogger(__name__)
_PORTION = 500
_IDENTITY = (
    "SELECT setval(pg_get_serial_sequence('trigger_fire', 'number'), (SELECT max(number) FROM trigger_fire))"
    " WHERE EXISTS (SELECT 1 FROM trigger_fire)"
)


def bring_over(directory: Path, link: PostgresLink) -> None:
    """Copy the database and the payload files of a folder whose lock is held; the caller holds the transaction.

    The files stay as they are. Without any there is nothing to do. Raises JOURNAL_CORRUPT for a damaged file.
    """
    path = directory / "engine.db"
    if not path.exists():
        return
    with closing(prepare(path)) as files:
        for table in _tables(files):
            _copy(files, link, table)
        blobs = BlobFiles(directory / "blobs")
        for (name,) in files.execute("SELECT DISTINCT name FROM blob"):
            link.run("INSERT INTO payload VALUES (?, ?)", (name, blobs.read(name)))
        (last,) = files.execute("SELECT coalesce(max(number), 0) FROM run").fetchone()
    link.run(_IDENTITY)
    link.run("SELECT setval('run_number', ?::bigint)", (int(last) + 1,))
    _LOG.warning(
        "what the engine had in its files is in the database now", extra={"file": str(path), "runs": last}
    )


def _tables(files: sqlite3.Connection) -> list[str]:
    rows = files.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
    )
    return [row[0] for row in rows.fetchall()]


def _copy(files: sqlite3.Connection, link: PostgresLink, table: str) -> None:
    columns = [(row[1], row[2]) for row in files.execute(f"PRAGMA table_info({table})").fetchall()]
    names = ", ".join(name for name, _ in columns)
    binary = [kind == "BLOB" for _, kind in columns]
    holes = ", ".join("?" * len(columns))
    sql = f"INSERT INTO {table} ({names}) VALUES ({holes})"  # noqa: S608 - names of our own tables
    for rows in _portions(files, f"SELECT {names} FROM {table}"):  # noqa: S608 - names of our own tables
        link.executemany(
            sql, [[_fit(value, b) for value, b in zip(row, binary, strict=True)] for row in rows]
        )


def _portions(files: sqlite3.Connection, sql: str) -> Iterator[list[Any]]:
    cursor = files.execute(sql)
    while rows := cursor.fetchmany(_PORTION):
        yield rows


def _fit(value: Any, binary: bool) -> Any:  # noqa: FBT001 - one of two kinds
    """Return a value as the column takes it; SQLite does not mind where somebody put a text for bytes."""
    return value.encode() if binary and isinstance(value, str) else value
