"""Used requests are remembered, also across a restart, and then forgotten; those that arrive together, together."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.db import database as databases
from gateway.db import migrate, replay_keys
from gateway.db.database import Database
from gateway.db.replay_keys import PURGE_EVERY_MS, ReplayKeys
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError
from tests.support.databases import Databases

KEY = bytes(range(32))
WAIT = 30.0


def opened(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'gateway.db'}")
    migrate.upgrade(database)
    return database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        made = opened(tmp_path)
    else:
        postgres: Databases = request.getfixturevalue("postgres")
        made = Database(postgres.create_migrated())
    yield made
    made.close()


def count(database: Database) -> int:
    with database.read() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM replay_keys").scalar_one()


def outcome(keys: ReplayKeys, key: bytes, until: int) -> str:
    try:
        keys.admit(key, until)
    except FloworkError as error:
        return error.code.value
    return "ok"


def test_a_key_is_admitted_once_even_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    first = opened(tmp_path)
    ReplayKeys(first, clock).admit(KEY, clock.now_ms() + 600_000)
    first.close()
    second = opened(tmp_path)
    with pytest.raises(FloworkError) as refused:
        ReplayKeys(second, clock).admit(KEY, clock.now_ms() + 600_000)
    assert refused.value.code is ErrorCode.REPLAYED
    second.close()


def test_expired_keys_are_purged(database: Database, clock: ManualClock) -> None:
    keys = ReplayKeys(database, clock)
    for number in range(5):
        keys.admit(bytes([number]), clock.now_ms() + 1000)
    clock.advance(PURGE_EVERY_MS / 1000)
    keys.admit(KEY, clock.now_ms() + 1000)
    assert count(database) == 1


def test_each_key_is_admitted_once_however_many_ask_at_once(database: Database, clock: ManualClock) -> None:
    here, elsewhere = ReplayKeys(database, clock), ReplayKeys(database, clock)
    until = clock.now_ms() + 1000
    asked = [(each, bytes([number])) for number in range(20) for each in (here, elsewhere, here)]
    with ThreadPoolExecutor(12) as callers:
        told = list(callers.map(lambda one: outcome(*one, until), asked))
    accepted = Counter(key for (_, key), how in zip(asked, told, strict=True) if how == "ok")
    assert accepted == {bytes([number]): 1 for number in range(20)}
    assert set(told) == {"ok", "REPLAYED"}
    assert count(database) == 20


class Gate:
    """Runs what is to be written, but the first only when it is let."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.runs = 0
        self.problem: Exception | None = None

    def __call__(self, function: Callable[[], Any], /) -> Any:
        self.runs += 1
        self.reached.set()
        assert self.opened.wait(WAIT)
        if self.problem is not None:
            raise self.problem
        return function()


def test_those_that_arrive_while_one_is_written_share_the_next_write(
    tmp_path: Path, clock: ManualClock
) -> None:
    database, gate = opened(tmp_path), Gate()
    keys = ReplayKeys(database, clock, gate)
    until = clock.now_ms() + 1000
    with ThreadPoolExecutor(10) as callers:
        first = callers.submit(outcome, keys, KEY, until)
        assert gate.reached.wait(WAIT)
        others = [callers.submit(outcome, keys, bytes([number // 2]), until) for number in range(8)]
        deadline = time.monotonic() + WAIT
        while len(keys._waiting) < 8:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        assert not any(each.done() for each in (first, *others))
        gate.opened.set()
        told = Counter(each.result(WAIT) for each in (first, *others))
    assert told == {"ok": 5, "REPLAYED": 4}
    assert gate.runs == 2
    assert count(database) == 5
    database.close()


def test_a_write_that_fails_fails_for_all_of_it_and_not_for_the_next(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "BUSY_MILLISECONDS", 20)
    database = opened(tmp_path)
    keys, until = ReplayKeys(database, clock), clock.now_ms() + 1000
    with closing(sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(4) as callers:
            told = list(callers.map(lambda number: outcome(keys, bytes([number]), until), range(4)))
        assert told == ["BUSY"] * 4
    assert outcome(keys, bytes([1]), until) == "ok"
    assert outcome(keys, bytes([1]), until) == "REPLAYED"
    database.close()


def test_who_is_not_answered_leaves_no_key_to_be_written_later(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay_keys, "MOST_AT_ONCE", 1)
    database, gate = opened(tmp_path), Gate()
    keys, until = ReplayKeys(database, clock, gate), clock.now_ms() + 1000
    gate.opened.set()
    gate.problem = BlockingIOError("something else")
    keys._waiting.append(replay_keys._Request(b"of another request that came before", until))
    with pytest.raises(BlockingIOError):
        keys.admit(KEY, until)
    gate.problem = None
    assert keys._waiting == []
    assert outcome(keys, b"later", until) == "ok"
    assert outcome(keys, KEY, until) == "ok", "its first request was refused"
    database.close()


def test_a_full_disk_is_said_and_nothing_is_accepted(tmp_path: Path, clock: ManualClock) -> None:
    database = opened(tmp_path)
    keys, until = ReplayKeys(database, clock), clock.now_ms() + 1000
    assert outcome(keys, KEY, until) == "ok"
    connection = keys._store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    told = [outcome(keys, number.to_bytes(400, "big"), until) for number in range(30)]
    assert "STORAGE_FULL" in told
    accepted = told.count("ok")
    assert count(database) == 1 + accepted
    database.close()
