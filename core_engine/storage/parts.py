"""What a store is made of, so that it is the same one on every database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from core_engine.storage.blobs import Blobs
from core_engine.storage.link import Link
from core_engine.storage.reader import Reader
from core_engine.storage.rows import SEGMENT_BITS
from core_engine.storage.writer import Writer


class Chores(NamedTuple):
    """What deletes runs (by their numbers) and unused workflows, and notes a run (by its id) as settled."""

    delete: Callable[[Sequence[int], Link], None]
    delete_workflows: Callable[[Link], None]
    settle: Callable[[str, Link], None]


class Parts(NamedTuple):
    """The parts; ``numbers`` returns a number that no run has had, ``writer`` is started by the store."""

    writer: Writer
    reads: Reader
    archive: Reader
    blobs: Blobs
    epoch: int
    numbers: Callable[[], int]
    chores: Chores


def delete_rows(connection: Link, numbers: Sequence[int]) -> list[str]:
    """Delete the rows of runs; return the payloads that nobody uses any more. The caller holds the transaction."""
    names: set[str] = set()
    for number in numbers:
        names.update(name for (name,) in connection.execute("SELECT name FROM blob WHERE run = ?", (number,)))
        connection.execute("DELETE FROM blob WHERE run = ?", (number,))
        span = (number << SEGMENT_BITS, (number + 1) << SEGMENT_BITS)
        connection.execute("DELETE FROM segment WHERE key > ? AND key < ?", span)
        connection.execute("DELETE FROM run WHERE number = ?", (number,))
    return [
        name
        for name in sorted(names)
        if not connection.execute("SELECT 1 FROM blob WHERE name = ? LIMIT 1", (name,)).fetchone()
    ]


def settle_row(run_id: str, connection: Link) -> None:
    """Note that everybody who waited for the end of a run has been told."""
    connection.execute("UPDATE run SET settled = 1 WHERE id = ?", (run_id,))
