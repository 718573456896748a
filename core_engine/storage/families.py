"""Reads about runs that a step of another run started, by the step and the item's number."""

from __future__ import annotations

from typing import NamedTuple

from core_engine.storage.reader import Reader

_OF_STEP = "FROM run WHERE parent = ? AND parent_node = ? AND item >= ? AND item < ?"


class ChildRow(NamedTuple):
    """A run of an item as its row has it; ``finished_at`` is None while it has not ended."""

    id: str
    item: int
    status: str
    finished_at: int | None
    error: str | None


class FamilyTable:
    """The runs of steps. The methods block for the disk and may be called on any thread."""

    def __init__(self, reader: Reader) -> None:
        self._query = reader.query

    def children(self, parent: str, node: str, first: int, end: int) -> list[ChildRow]:
        """Return the runs of the items from ``first`` to just before ``end``, in order."""
        sql = f"SELECT id, item, status, finished_at, error {_OF_STEP} ORDER BY item, number"
        return [ChildRow(*row) for row in self._query(sql, (parent, node, first, end))]

    def results(self, parent: str, node: str, first: int, end: int) -> list[tuple[str, int, bytes | None]]:
        """Return the id, item and result of those that ended well, in order."""
        sql = f"SELECT id, item, result {_OF_STEP} AND status = 'SUCCEEDED' ORDER BY item, number"
        return [(row[0], row[1], row[2]) for row in self._query(sql, (parent, node, first, end))]
