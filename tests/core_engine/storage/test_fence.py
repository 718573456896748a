"""A writer that lost the data to a later engine writes nothing more."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from core_engine.storage import EngineStore, SegmentRow, Write
from core_engine.storage.fence import StaleWriterError
from core_engine.storage.schema import prepare
from shared.errors import ErrorCode, FloworkError


def take_over(folder: Path) -> EngineStore:
    """Open a second store on the same data, as it goes where the lock file was deleted."""
    (folder / "engine.lock").unlink()
    return EngineStore.open(folder)


async def test_a_write_behind_the_later_engines_back_is_refused_for_good(tmp_path: Path) -> None:
    old = EngineStore.open(tmp_path)
    await old.put("before", b"1")
    new = take_over(tmp_path)
    assert (old.epoch, new.epoch) == (1, 2)
    with pytest.raises(
        FloworkError, match=r"another engine took this data over .* number 2, this one's 1"
    ) as caught:
        await old.write(Write(segment=SegmentRow.of(1, 1, b"[]")))
    assert (caught.value.code, caught.value.meaning.exit) == (ErrorCode.INTERNAL, 70)
    assert old.failure is caught.value
    with pytest.raises(FloworkError):
        await old.put("after", b"1")
    await new.put("new", b"1")
    assert [new.get(key) for key in ("before", "after", "new")] == [b"1", None, b"1"]
    assert new.reads.query("SELECT count(*) FROM segment") == [(0,)]
    old.close()
    new.close()


@pytest.mark.parametrize("kind", ["statement", "transaction"])
async def test_jobs_are_fenced_like_the_journal(tmp_path: Path, kind: str) -> None:
    old = EngineStore.open(tmp_path)
    new = take_over(tmp_path)

    def job(link: sqlite3.Connection) -> None:
        if kind == "transaction":
            link.execute("BEGIN IMMEDIATE")
        link.execute("INSERT INTO variable VALUES ('a', 'B', x'00')")
        if kind == "transaction":
            link.execute("COMMIT")

    with pytest.raises(FloworkError, match="another engine took this data over"):
        await old.perform(job)
    assert old.failure is not None
    await new.perform(job)
    assert new.reads.query("SELECT owner, name FROM variable") == [("a", "B")]
    old.close()
    new.close()


def test_nothing_comes_between_the_look_and_the_commit(tmp_path: Path) -> None:
    old, new = prepare(tmp_path / "engine.db"), prepare(tmp_path / "engine.db")
    assert old.raise_fence() == 1
    old.execute("BEGIN IMMEDIATE")
    new.execute("PRAGMA busy_timeout = 1")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        new.raise_fence()
    old.execute("INSERT INTO value VALUES ('mine', x'00')")
    old.execute("COMMIT")
    assert new.raise_fence() == 2
    with pytest.raises(StaleWriterError):
        old.execute("DELETE FROM value")
    assert not old.in_transaction
    assert new.execute("SELECT count(*) FROM value").fetchone() == (2,)
    old.close()
    new.close()


def test_a_statement_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    link = prepare(tmp_path / "engine.db")
    link.raise_fence()
    for _ in range(2):
        with pytest.raises(sqlite3.IntegrityError):
            link.execute("INSERT INTO value VALUES ('engine.epoch', x'00')")
        assert not link.in_transaction
    link.close()


def test_every_statement_that_writes_is_seen_as_one(tmp_path: Path) -> None:
    old, new = prepare(tmp_path / "engine.db"), prepare(tmp_path / "engine.db")
    old.raise_fence()
    new.raise_fence()
    for sql in (
        "INSERT INTO value VALUES ('x', x'00')",
        "INSERT OR REPLACE INTO value VALUES ('x', x'00')",
        "REPLACE INTO value VALUES ('x', x'00')",
        "UPDATE value SET body = x'00'",
        "DELETE FROM value",
    ):
        with pytest.raises(StaleWriterError):
            partial(old.execute, sql)()
    assert old.execute("SELECT body FROM value").fetchall() == [(b"2",)]
    old.close()
    new.close()
