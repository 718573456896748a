"""Reads of the engine's tables on PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, TypeVar

from typing_extensions import override

from core_engine.storage.link import LostContactError, RemoteError
from core_engine.storage.postgres.link import PostgresLink
from core_engine.storage.reader import Reader, fetch_whole
from core_engine.storage.rows import RunRow
from shared.errors import ErrorCode, FloworkError

_BODIES = {"segment": "octet_length(body) + 60", "payload": "octet_length(body) + 100", "run": "500"}
_MINE = (
    f"SELECT {','.join(f'run.{name}' for name in RunRow._fields)} FROM run JOIN run_owner o"  # noqa: S608 - ours
    " ON o.number = run.number AND o.session = ? WHERE {} ORDER BY run.number"
)
_SAMPLE_BYTES = 64 * 1024 * 1024
_Found = TypeVar("_Found")


class PostgresReader(Reader):
    """One reading connection. A read that finds it lost is done once more on a new one.

    Raises ENGINE_UNAVAILABLE while the server cannot be reached.
    """

    newest_first = "started_at DESC, number DESC"  # numbers are given out to the processes in blocks
    contains = "strpos(lower(error), lower(?)) > 0"

    def __init__(self, link: PostgresLink, session: int) -> None:
        super().__init__(link)
        self._link = link
        self._session = session

    @override
    def unfinished(self) -> list[RunRow]:
        """Return every run of this session that has not ended, oldest first; those that only wait have no owner."""
        return [RunRow(*row) for row in self._all(_MINE.format("finished_at IS NULL"), (self._session,))]

    @override
    def unsettled(self) -> list[RunRow]:
        """Return every ended run of this session whose listeners have not all been told, oldest first."""
        return [RunRow(*row) for row in self._all(_MINE.format("settled = 0"), (self._session,))]

    @override
    def used_bytes(self) -> int:
        """Return about how much the rows take; of large tables a sample is looked at.

        Not the size of the files: these do not shrink when rows are deleted, and old runs would go for nothing.
        """
        total = 0.0
        for table, size in _BODIES.items():
            held = self._all("SELECT pg_relation_size(?::text::regclass)", (table,))[0][0]
            percent = min(100.0, 100.0 * _SAMPLE_BYTES / max(held, 1))
            sql = f"SELECT coalesce(sum({size}), 0)::bigint FROM {table} TABLESAMPLE SYSTEM (?::float)"  # noqa: S608 - ours
            total += self._all(sql, (percent,))[0][0] * 100.0 / percent
        return int(total)

    @override
    def _whole(self, run_id: str) -> tuple[RunRow, list[Any], Any] | None:
        return self._again(lambda: self._snapshot(run_id))

    def _snapshot(self, run_id: str) -> tuple[RunRow, list[Any], Any] | None:
        self._link.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            return fetch_whole(self._link, run_id)
        finally:
            self._link.roll_back()

    @override
    def _all(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock:
            try:
                return self._again(lambda: self._link.run(sql, parameters).fetchall())
            except RemoteError as error:
                raise self.told(error) from error

    @override
    def told(self, error: sqlite3.Error) -> FloworkError:
        if isinstance(error, RemoteError) and error.passing:
            message = f"The engine's database cannot be reached: {error}."
            return FloworkError(ErrorCode.ENGINE_UNAVAILABLE, message, retry_after=2.0)
        return super().told(error)

    def _again(self, read: Callable[[], _Found]) -> _Found:
        try:
            return read()
        except LostContactError:
            return read()
