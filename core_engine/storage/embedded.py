"""The store of one engine on its own files: an SQLite database, and large payloads beside it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from core_engine.storage.blobs import BlobFiles
from core_engine.storage.link import Link
from core_engine.storage.parts import Chores, Parts, delete_rows, settle_row
from core_engine.storage.reader import Reader
from core_engine.storage.schema import prepare
from core_engine.storage.writer import Writer


def open_parts(directory: Path) -> Parts:
    """Open the files of a folder whose lock is held; raises CONFIGURATION or JOURNAL_CORRUPT."""
    path = directory / "engine.db"
    connection = prepare(path)
    blobs = BlobFiles(directory / "blobs")
    reads, archive = Reader.of_file(path), Reader.of_file(path)
    epoch = connection.raise_fence()
    _sweep(connection, blobs)
    return Parts(
        writer=Writer(connection, blobs),
        reads=reads,
        archive=archive,
        blobs=blobs,
        epoch=epoch,
        numbers=partial(next, itertools.count(reads.last_run_number() + 1)),
        chores=Chores(partial(_delete, blobs), _delete_workflows, settle_row),
    )


def _sweep(connection: Link, blobs: BlobFiles) -> None:
    """Delete payload files that a crash left without a run."""
    for name in blobs.names():
        if not connection.execute("SELECT 1 FROM blob WHERE name = ? LIMIT 1", (name,)).fetchone():
            blobs.remove(name)


def _delete(blobs: BlobFiles, numbers: Sequence[int], connection: Link) -> None:
    """Delete runs; a payload file goes only after the transaction that forgot its last user."""
    connection.execute("BEGIN IMMEDIATE")
    orphans = delete_rows(connection, numbers)
    connection.execute("COMMIT")
    for name in orphans:
        blobs.remove(name)


def _delete_workflows(connection: Link) -> None:
    connection.execute("DELETE FROM workflow WHERE hash NOT IN (SELECT workflow FROM run)")
