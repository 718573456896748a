"""Used requests are remembered, also across a restart, and then forgotten; those that arrive together, together."""

from __future__ import annotations

import hashlib
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
from gateway.db import migrate
from gateway.db.database import Database
from gateway.db.key_stores import _PURGE, SIGNATURES, SqliteKeys
from gateway.db.replay_keys import PURGE_EVERY_MS, ReplayKeys
from gateway.db.running import directly
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError
from tests.support.databases import Databases
from tests.support.script import python

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
    query = "SELECT count(*) FROM replay_keys"
    if database.file is not None:
        with closing(sqlite3.connect(database.file + SIGNATURES)) as beside:
            return int(beside.execute(query).fetchone()[0])
    with database.read() as connection:
        return connection.exec_driver_sql(query).scalar_one()


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


def test_one_used_key_among_new_ones_is_the_only_one_refused(tmp_path: Path, clock: ManualClock) -> None:
    database = opened(tmp_path)
    store = ReplayKeys(database, clock)._store
    old, new, newer = [(bytes([number]), clock.now_ms() + 1000) for number in range(3)]
    assert store.enter([old], None) == [True]
    assert store.enter([new, old, newer, new], None) == [True, False, True, False]
    assert store.enter([old, new, newer], None) == [False] * 3
    assert count(database) == 3
    database.close()


def test_a_write_that_fails_fails_for_all_of_it_and_not_for_the_next(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "BUSY_MILLISECONDS", 20)
    database = opened(tmp_path)
    keys, until = ReplayKeys(database, clock), clock.now_ms() + 1000
    assert outcome(keys, KEY, until) == "ok"
    with closing(sqlite3.connect(tmp_path / "gateway.db-signatures", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(4) as callers:
            told = list(callers.map(lambda number: outcome(keys, bytes([number]), until), range(4)))
        assert told == ["BUSY"] * 4
    assert outcome(keys, bytes([1]), until) == "ok"
    assert outcome(keys, bytes([1]), until) == "REPLAYED"
    database.close()


def test_the_next_write_begins_before_anyone_of_the_last_is_answered() -> None:
    script = """
from gateway import green
green.patch()
import eventlet, tempfile
from gateway.db import migrate
from gateway.db.database import Database
from gateway.db.replay_keys import ReplayKeys
from shared.clock import ManualClock
database = Database(f"sqlite:///{tempfile.mkdtemp()}/gateway.db")
migrate.upgrade(database)
seen, apart = [], green.apart()
def run(function):
    seen.append("write")
    return apart(function)
keys = ReplayKeys(database, ManualClock(), run)
def ask(number):
    keys.admit(bytes([number]), 10**15)
    seen.append(number)
first = [eventlet.spawn(ask, 0)]
eventlet.sleep(0)
others = [eventlet.spawn(ask, number) for number in (1, 2, 3)]
for each in first + others:
    each.wait()
database.close()
print(seen[:3], sorted(seen[3:]))
"""
    assert python(script) == "['write', 'write', 0] [1, 2, 3]"


def test_who_is_gone_before_its_turn_leaves_no_key_and_holds_nobody_up() -> None:
    script = """
from gateway import green
green.patch()
import eventlet, tempfile
from gateway.db import migrate
from gateway.db.database import Database
from gateway.db.replay_keys import ReplayKeys
from shared.clock import ManualClock
database = Database(f"sqlite:///{tempfile.mkdtemp()}/gateway.db")
migrate.upgrade(database)
let, apart = eventlet.Event(), green.apart()
def run(function):
    let.wait()
    return apart(function)
keys = ReplayKeys(database, ManualClock(), run)
def ask(number):
    keys.admit(bytes([number]), 10**15)
    return number
asked = [eventlet.spawn(ask, number) for number in range(5)]
eventlet.sleep(0)
asked[2].kill()          # while it waits
let.send()
while not asked[0].dead:
    eventlet.sleep(0)
    if keys._waiting and keys._waiting[0].has_turn:
        asked[1].kill()  # when it has its turn, and has not taken it
told = [each.wait() for each in (asked[0], asked[3], asked[4])]
again = [ask(1), ask(2)]
database.close()
print(told, again, keys._waiting)
"""
    assert python(script) == "[0, 3, 4] [1, 2] []"


def test_what_fails_otherwise_is_raised_where_it_did_and_holds_nobody_up(
    tmp_path: Path, clock: ManualClock
) -> None:
    database, gate = opened(tmp_path), Gate()
    keys, until = ReplayKeys(database, clock, gate), clock.now_ms() + 1000
    gate.opened.set()
    gate.problem = BlockingIOError("something else")
    with pytest.raises(BlockingIOError):
        keys.admit(KEY, until)
    gate.problem = None
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


def test_writing_keys_is_no_news_for_what_is_remembered(tmp_path: Path, clock: ManualClock) -> None:
    database = opened(tmp_path)
    keys, before = ReplayKeys(database, clock), database.state()
    keys.admit(KEY, clock.now_ms() + 1000)
    assert database.state() == before is not None
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO claim_requests SELECT * FROM claim_requests")
        keys.admit(b"another", clock.now_ms() + 1000)  # and waits for no other writer
    database.close()


def test_several_may_make_the_file_at_once(tmp_path: Path, clock: ManualClock) -> None:
    until = clock.now_ms() + 1000
    for number in range(20):
        (tmp_path / str(number)).mkdir()
        database, begin = opened(tmp_path / str(number)), threading.Barrier(4)

        def ask(database: Database = database, begin: threading.Barrier = begin) -> str:
            begin.wait(WAIT)
            return outcome(ReplayKeys(database, clock), KEY, until)

        with ThreadPoolExecutor(4) as callers:
            told = [each.result(WAIT) for each in [callers.submit(ask) for _ in range(4)]]
        assert sorted(told) == ["REPLAYED"] * 3 + ["ok"]
        database.close()


def test_a_damaged_file_keeps_everybody_out_until_it_is_taken_away(
    tmp_path: Path, clock: ManualClock
) -> None:
    file, until = tmp_path / "gateway.db-signatures", clock.now_ms() + 1000
    file.write_bytes(b"not a database" * 400)
    database = opened(tmp_path)
    keys = ReplayKeys(database, clock)
    for _ in range(2):
        with pytest.raises(sqlite3.DatabaseError, match="not a database"):
            keys.admit(KEY, until)
    file.unlink()
    assert [outcome(keys, KEY, until) for _ in range(2)] == ["ok", "REPLAYED"]
    database.close()


def test_keys_are_on_the_disk_before_they_count(tmp_path: Path) -> None:
    database = opened(tmp_path)
    store = SqliteKeys(database, directly)
    assert store.enter([(KEY, 1)], None) == [True]
    assert store._connection is not None
    told = [
        store._connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
    ]
    assert told == ["wal", 2]
    database.close()


def test_keys_of_one_time_lie_together_so_that_a_write_changes_few_pages(tmp_path: Path) -> None:
    database = opened(tmp_path)
    store, file = SqliteKeys(database, directly), tmp_path / "gateway.db-signatures"
    keys = [(hashlib.sha256(b"%d" % number).digest(), 10**12 + number) for number in range(4000)]
    for at in range(0, len(keys), 400):
        assert all(store.enter(keys[at : at + 400], None))
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert other.execute("SELECT count(*) FROM replay_keys").fetchone() == (4000,)
        assert "SEARCH" in other.execute(f"EXPLAIN QUERY PLAN {_PURGE}", (0,)).fetchone()[3]
    assert store.enter([(key, end + 10**6) for key, end in keys[:10]], None) == [True] * 10
    written = (tmp_path / "gateway.db-signatures-wal").stat().st_size
    assert 0 < written < 5 * 4096
    database.close()
