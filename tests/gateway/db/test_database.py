"""Connections: one writer at a time, all or nothing, readable refusals."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from gateway.db import database as module
from gateway.db.database import Database
from shared.errors import ErrorCode, FloworkError


def count(database: Database) -> int:
    with database.read() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM replay_keys").scalar_one()


def test_a_write_is_all_or_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            connection.exec_driver_sql("INSERT INTO replay_keys VALUES (X'01', 5)")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert count(database) == 0


def test_sqlite_is_set_up_to_keep_what_it_took(database: Database) -> None:
    with database.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_many_writers_wait_for_each_other(database: Database) -> None:
    def write(number: int) -> None:
        for step in range(10):
            with database.write() as connection:
                connection.exec_driver_sql("INSERT INTO replay_keys VALUES (?, 5)", (bytes([number, step]),))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert count(database) == 80


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO replay_keys VALUES (X'01', 5)")
        assert count(database) == 0
    assert count(database) == 1


def test_a_writer_does_not_wait_for_ever(database: Database, monkeypatch) -> None:
    monkeypatch.setattr(module, "WRITE_WAIT_SECONDS", 0.01)
    with database.write(), pytest.raises(FloworkError) as refused, database.write():
        raise AssertionError
    assert refused.value.code is ErrorCode.BUSY


def test_a_database_that_another_program_holds_is_a_passing_refusal(
    tmp_path: Path, database: Database, monkeypatch
) -> None:
    monkeypatch.setattr(module, "LOCK_WAIT_SECONDS", 0.2)
    with closing(sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(FloworkError) as refused, database.write():
            raise AssertionError
        assert (refused.value.code, refused.value.meaning.http) == (ErrorCode.BUSY, 503)
        assert refused.value.retry_after
        assert count(database) == 0, "reading goes on"
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO replay_keys VALUES (X'01', 5)")
    assert count(database) == 1


def test_who_waits_for_another_program_goes_on_when_it_is_done(tmp_path: Path, database: Database) -> None:
    other = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, other.execute, ("COMMIT",))
    timer.start()
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO replay_keys VALUES (X'01', 5)")
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    timer.join()
    other.close()
    assert count(database) == 1


def test_a_failed_write_frees_the_next(database: Database) -> None:
    for _ in range(2):
        with pytest.raises(IntegrityError), database.write() as connection:
            connection.exec_driver_sql("INSERT INTO replay_keys VALUES (X'01', 5), (X'01', 5)")


def test_a_full_disk_is_said_so(database: Database) -> None:
    with pytest.raises(FloworkError) as refused, database.write():
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))
    assert refused.value.code is ErrorCode.STORAGE_FULL


def test_what_was_to_be_written_is_not_taken_for_the_reason(database: Database) -> None:
    with pytest.raises(OperationalError, match="no such table"), database.write() as connection:
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (?)", ("the disk is full",))


@pytest.mark.parametrize("url", ["nonsense", "oracle-of-delphi://x", "postgresql+nodriver://x"])
def test_an_unusable_url_is_a_configuration_error(url: str) -> None:
    with pytest.raises(FloworkError) as refused:
        Database(url)
    assert refused.value.code is ErrorCode.CONFIGURATION
    assert url not in refused.value.message


def test_the_driver_of_postgresql_is_chosen(monkeypatch) -> None:
    chosen: list[str] = []

    def create(url: object, **_options: object) -> None:
        chosen.append(url.drivername)
        raise ModuleNotFoundError(name="psycopg")

    monkeypatch.setattr(module, "create_engine", create)
    for url in ("postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"):
        with pytest.raises(FloworkError, match="psycopg, which is not installed"):
            Database(url)
    assert chosen == ["postgresql+psycopg"] * 3
