"""When engines were last heard, on disk."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.db import database as databases
from gateway.db import migrate
from gateway.db.database import Database
from gateway.realtime.seen_log import EVERY_SECONDS, SeenLog
from gateway.resources.engines import queries
from shared.clock import ManualClock


def test_signs_of_life_are_written_now_and_then(tmp_path: Path, clock: ManualClock) -> None:
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    migrate.upgrade(database)
    with database.write() as connection:
        queries.add(connection, engine_id="e", owner=None, name="x", token_hash="h", now_ms=1)
    seen = SeenLog(database, clock)

    def stored() -> int | None:
        seen.write()
        with database.read() as connection:
            row = queries.find(connection, "e")
        assert row is not None
        return row.last_seen_ms

    first = clock.now_ms()
    seen.note("e")
    assert stored() == first
    clock.advance(EVERY_SECONDS - 1)
    seen.note("e")
    assert stored() == first
    clock.advance(1)
    seen.note("e")
    assert stored() == clock.now_ms()
    clock.advance(5)
    seen.forget("e")
    assert stored() == clock.now_ms()
    clock.advance(5)
    seen.note("e")
    assert stored() == clock.now_ms()
    database.close()


def test_the_engines_of_a_moment_are_written_together(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    migrate.upgrade(database)
    with database.write() as connection:
        for name in ("a", "b", "c"):
            queries.add(connection, engine_id=name, owner=None, name=name, token_hash=name, now_ms=1)
    seen = SeenLog(database, clock)
    seen.note("a")
    clock.advance(1)
    seen.note("b")
    state = database.state()
    seen.write()
    with database.read() as connection:
        rows = [queries.find(connection, name) for name in ("a", "b", "c")]
    assert [row.last_seen_ms for row in rows if row] == [clock.now_ms() - 1000, clock.now_ms(), None]
    assert database.state() == state + 1
    seen.note("a")
    seen.write()
    assert database.state() == state + 1
    database.close()


def test_an_engine_is_heard_also_while_nothing_can_be_written(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(databases, "LOCK_WAIT_SECONDS", 0.05)
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    migrate.upgrade(database)
    seen = SeenLog(database, clock)
    with closing(sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with caplog.at_level(logging.WARNING):
            seen.note("e")
            seen.forget("f")
            seen.write()
    assert [(record.__dict__["reason"], record.__dict__["engines"]) for record in caplog.records] == [
        ("BUSY", 2)
    ]
    database.close()
