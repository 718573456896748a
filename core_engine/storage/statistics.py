"""Figures about the runs of the last time, counted by the database."""

from __future__ import annotations

from typing import NamedTuple

from core_engine.storage.store import EngineStore

_SINCE = "FROM run WHERE started_at >= ? AND parent IS NULL"
_RECENT = "SELECT preset, status, finished_at FROM run WHERE parent IS NULL ORDER BY number DESC LIMIT ?"
_UNFINISHED = "FROM run WHERE finished_at IS NULL AND parent IS NULL"
_ACTIVE = f"SELECT id, preset, started_at {_UNFINISHED} ORDER BY number DESC LIMIT ?"


class ActiveRun(NamedTuple):
    """An unfinished run; ``started_at`` is Unix milliseconds."""

    id: str
    preset: str | None
    started_at: int


class RecentRun(NamedTuple):
    """How a run stands; ``finished_at`` is Unix milliseconds, None while it goes on."""

    preset: str | None
    status: str
    finished_at: int | None


class RunFigures(NamedTuple):
    """Runs since a time: by status, the presets that failed most, those that took longest (average ms)."""

    by_status: dict[str, int]
    failing: list[tuple[str, int]]
    slowest: list[tuple[str, float]]


class RunStatistics:
    """Counts runs that no other run started. Its methods block for the disk and may be called on any thread."""

    def __init__(self, store: EngineStore) -> None:
        self._query = store.archive.query

    def since(self, since_ms: int, most: int) -> RunFigures:
        """Count the runs that started since a time (Unix ms), with at most so many presets in each list."""
        by_status = dict(self._query(f"SELECT status, count(*) {_SINCE} GROUP BY status", (since_ms,)))
        failing = self._query(
            f"SELECT preset, count(*) AS n {_SINCE} AND status = 'FAILED' AND preset IS NOT NULL"
            " GROUP BY preset ORDER BY n DESC, preset LIMIT ?",
            (since_ms, most),
        )
        slowest = self._query(
            f"SELECT preset, avg(finished_at - started_at) AS ms {_SINCE} AND finished_at IS NOT NULL"
            " AND preset IS NOT NULL GROUP BY preset ORDER BY ms DESC, preset LIMIT ?",
            (since_ms, most),
        )
        return RunFigures(by_status, failing, slowest)

    def active(self, most: int) -> list[ActiveRun]:
        """Return unfinished runs, newest first."""
        return [ActiveRun(*row) for row in self._query(_ACTIVE, (most,))]

    def recent(self, most: int) -> list[RecentRun]:
        """Return the newest runs."""
        return [RecentRun(*row) for row in self._query(_RECENT, (most,))]
