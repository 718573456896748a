"""Reads of the engine's database, on a connection of their own: they never wait for the writer."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core_engine.storage.link import Link
from core_engine.storage.rows import SEGMENT_BITS, RunRow, checksum
from core_engine.storage.schema import connect_to_read
from shared.errors import ErrorCode, FloworkError

_COLUMNS = ",".join(RunRow._fields)
_ONE_RUN = f"SELECT {_COLUMNS} FROM run WHERE id = ?"  # noqa: S608 - fixed names
_ROOTS = "FROM run WHERE parent IS NULL AND settled = 1"
_FAMILY = (
    "WITH RECURSIVE family(id, number, finished_at) AS (SELECT id, number, finished_at FROM run WHERE number = ?"
    " UNION ALL SELECT run.id, run.number, run.finished_at FROM run JOIN family ON run.parent = family.id)"
    " SELECT number, finished_at FROM family"
)
_PAGES = ("page_count", "freelist_count", "page_size")
_SEGMENTS = "SELECT key, crc, body FROM segment WHERE key > ? AND key < ? ORDER BY key"


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs are listed, newest first; ``before`` is a start time in Unix milliseconds.

    ``started_after`` is one too, inclusive; ``error_part`` stands somewhere in the run's error, in any case.
    Without ``parent`` only runs that no other run started are listed, with it the runs that one started: in the
    order of their items, from just after ``after_item``.
    """

    started_by: str | None = None
    status: str | None = None
    before: int | None = None
    limit: int = 50
    parent: str | None = None
    preset: str | None = None
    origin: str | None = None
    started_after: int | None = None
    error_part: str | None = None
    after_item: int | None = None


@dataclass(frozen=True, slots=True)
class RunJournal:
    """A run's summary, its segments as first record number and body, and its workflow's canonical JSON."""

    run: RunRow
    segments: list[tuple[int, bytes]]
    workflow: bytes


class Reader:
    """One reading connection; its methods may be called from any thread and wait for each other."""

    newest_first = "number DESC"
    contains = "instr(lower(error), lower(?)) > 0"

    def __init__(self, connection: Link) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def of_file(cls, path: Path) -> Reader:
        """Read an SQLite database."""
        return cls(connect_to_read(path))

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def run(self, run_id: str) -> RunRow | None:
        """Return a run's summary."""
        rows = self._all(_ONE_RUN, (run_id,))
        return RunRow(*rows[0]) if rows else None

    def runs(self, which: RunFilter) -> list[RunRow]:
        """Return summaries, newest first."""
        conditions = {
            "started_by = ?": which.started_by,
            "status = ?": which.status,
            "started_at < ?": which.before,
            "parent = ?": which.parent,
            "preset = ?": which.preset,
            "origin = ?": which.origin,
            "started_at >= ?": which.started_after,
            self.contains: which.error_part,
            "item > ?": which.after_item,
        }
        used = {text: value for text, value in conditions.items() if value is not None}
        family = () if which.parent else ("parent IS NULL",)
        where = f"WHERE {' AND '.join((*used, *family))}"
        order = "item, number" if which.parent else self.newest_first
        sql = f"SELECT {_COLUMNS} FROM run {where} ORDER BY {order} LIMIT ?"  # noqa: S608 - fixed names
        return [RunRow(*row) for row in self._all(sql, (*used.values(), which.limit))]

    def unfinished(self) -> list[RunRow]:
        """Return every run that has not ended, oldest first, besides those that only wait (`ParkedTable`)."""
        parked = "SELECT number FROM parked"
        sql = f"SELECT {_COLUMNS} FROM run WHERE finished_at IS NULL AND number NOT IN ({parked}) ORDER BY number"  # noqa: S608 - fixed names
        return [RunRow(*row) for row in self._all(sql)]

    def unsettled(self) -> list[RunRow]:
        """Return every ended run whose listeners have not all been told, oldest first."""
        sql = f"SELECT {_COLUMNS} FROM run WHERE settled = 0 ORDER BY number"  # noqa: S608 - fixed names
        return [RunRow(*row) for row in self._all(sql)]

    def reruns(self) -> list[RunRow]:
        """Return every run that does another one again, oldest first."""
        sql = f"SELECT {_COLUMNS} FROM run WHERE origin >= 'rerun:' AND origin < 'rerun;' ORDER BY number"  # noqa: S608 - fixed names
        return [RunRow(*row) for row in self._all(sql)]

    def last_run_number(self) -> int:
        """Return the largest run number, 0 without any."""
        return int(self._all("SELECT coalesce(max(number), 0) FROM run")[0][0])

    def ended_roots(self, before_ms: int, after: int, limit: int) -> list[int]:
        """Return numbers, above ``after``, of runs that no other run started and that ended before a time."""
        sql = f"SELECT number {_ROOTS} AND finished_at < ? AND number > ? ORDER BY number LIMIT ?"
        return [row[0] for row in self._all(sql, (before_ms, after, limit))]

    def family(self, root: int) -> list[int]:
        """Return a run's number and those of all the runs it started, itself or through them.

        It is empty while one of them has not ended.
        """
        rows = self._all(_FAMILY, (root,))
        return [] if any(row[1] is None for row in rows) else [row[0] for row in rows]

    def count_ended(self) -> int:
        """Count the ended runs that no other run started."""
        return int(self._all(f"SELECT count(*) {_ROOTS} AND finished_at IS NOT NULL")[0][0])

    def used_bytes(self) -> int:
        """Return how much of the database file is in use."""
        pages, free, size = (self._all(f"PRAGMA {name}")[0][0] for name in _PAGES)
        return int((pages - free) * size)

    def journal(self, run_id: str) -> RunJournal | None:
        """Return all that is stored of one run, as of one moment.

        Raises JOURNAL_CORRUPT naming the first segment whose checksum is wrong, or the workflow that is missing.
        """
        with self._lock:
            try:
                found = self._whole(run_id)
            except sqlite3.Error as error:
                raise self.told(error) from error
        if found is None:
            return None
        run, segments, workflow = found
        low = run.number << SEGMENT_BITS
        for key, crc, body in segments:
            if not isinstance(body, bytes) or checksum(key, body) != crc:
                message = f"Segment {key - low} of the journal of run {run_id} fails its checksum."
                raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message)
        if workflow is None:
            message = f"The workflow {run.workflow} of run {run_id} is missing from the journal."
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message)
        return RunJournal(run, [(key - low, body) for key, _, body in segments], bytes(workflow[0]))

    def query(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Return the rows of a query; for the tables of this package's other modules."""
        return self._all(sql, parameters)

    def value(self, key: str) -> bytes | None:
        """Return a small value."""
        rows = self._all("SELECT body FROM value WHERE key = ?", (key,))
        return bytes(rows[0][0]) if rows else None

    def replay(self, now_ms: int) -> list[tuple[bytes, int]]:
        """Return the replay keys that are still in force, with their expiry in Unix milliseconds."""
        return self._all("SELECT key, expires_ms FROM replay WHERE expires_ms > ?", (now_ms,))

    def told(self, error: sqlite3.Error) -> FloworkError:
        """Return what a client is told of an error of the database."""
        return FloworkError(ErrorCode.JOURNAL_CORRUPT, f"The engine's database cannot be read: {error}.")

    def _whole(self, run_id: str) -> tuple[RunRow, list[Any], Any] | None:
        """Return a run's row, its segments and its workflow as of one moment."""
        self._connection.execute("BEGIN")
        try:
            return fetch_whole(self._connection, run_id)
        finally:
            self._connection.execute("COMMIT")

    def _all(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock:
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise self.told(error) from error


def fetch_whole(link: Link, run_id: str) -> tuple[RunRow, list[Any], Any] | None:
    """Return a run's row, its segments and its workflow; the caller holds the transaction."""
    row = link.execute(_ONE_RUN, (run_id,)).fetchone()
    if row is None:
        return None
    run = RunRow(*row)
    low, high = run.number << SEGMENT_BITS, (run.number + 1) << SEGMENT_BITS
    segments = link.execute(_SEGMENTS, (low, high)).fetchall()
    workflow = link.execute("SELECT body FROM workflow WHERE hash = ?", (run.workflow,)).fetchone()
    return run, segments, workflow
