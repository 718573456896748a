"""Reads about runs that only wait and are not in memory, and about events that steps wait for."""

from __future__ import annotations

from core_engine.storage.reader import Reader


class ParkedTable:
    """The runs that are not in memory. The methods block for the disk and may be called on any thread."""

    def __init__(self, reader: Reader) -> None:
        self._query = reader.query

    def count(self) -> int:
        """Count them."""
        return int(self._query("SELECT count(*) FROM parked")[0][0])

    def number(self, run_id: str) -> int | None:
        """Return the number of a run that is not in memory, None for any other."""
        rows = self._query("SELECT number FROM parked WHERE id = ?", (run_id,))
        return rows[0][0] if rows else None

    def next_due(self) -> int | None:
        """Return when the first of them has something to do, in Unix milliseconds; None: only when told."""
        due = self._query("SELECT min(due) FROM parked WHERE due IS NOT NULL")[0][0]
        return None if due is None else int(due)

    def due(self, now_ms: int, limit: int) -> list[tuple[int, str]]:
        """Return numbers and ids of those whose time has come, the longest due first."""
        sql = "SELECT number, id FROM parked WHERE due <= ? ORDER BY due LIMIT ?"
        return [(row[0], row[1]) for row in self._query(sql, (now_ms, limit))]
