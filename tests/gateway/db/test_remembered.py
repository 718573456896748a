"""Remembered answers are as fresh as queries, whoever writes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway.db.database import Database
from gateway.db.remembered import Remembered


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


class Counting:
    """Counts keys from a number on, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, connection: Connection, least: int) -> int:
        self.asked += 1
        query = "SELECT count(*) FROM replay_keys WHERE expires_ms >= ?"
        return connection.exec_driver_sql(query, (least,)).scalar_one()


INSERT = "INSERT INTO replay_keys VALUES (?, 5)"


def test_the_database_is_asked_once_until_somebody_writes(database: Database, path: Path) -> None:
    query = Counting()
    known = Remembered(database, query)
    assert [known.get(0), known.get(0), known.get(9)] == [0, 0, 0]
    assert query.asked == 2
    with database.write() as connection:
        connection.exec_driver_sql(INSERT, (b"1",))
        assert known.get(0) == 0  # not committed yet
    assert [known.get(0), known.get(0)] == [1, 1]
    assert query.asked == 3
    with sqlite3.connect(path) as other:  # as another process does
        other.execute(INSERT, (b"2",))
    other.close()
    assert known.get(0) == 2


def test_an_answer_from_before_a_write_is_not_kept_for_after_it(database: Database) -> None:
    """The write falls between the look at the state and the query's end."""

    def slow(connection: Connection, _key: str) -> int:
        found = connection.exec_driver_sql("SELECT count(*) FROM replay_keys").scalar_one()
        if found == 0:
            with database.write() as writing:
                writing.exec_driver_sql(INSERT, (b"1",))
            assert known.get("other") == 1  # moves on to the new state meanwhile
        return found

    known = Remembered(database, slow)
    assert known.get("key") == 0
    assert known.get("key") == 1


def test_it_does_not_grow_without_end(database: Database) -> None:
    query = Counting()
    known = Remembered(database, query, most=2)
    assert [known.get(key) for key in (1, 2, 3, 3, 1)] == [0] * 5
    assert query.asked == 4


def test_who_finds_the_witness_in_use_asks_the_database(database: Database) -> None:
    query = Counting()
    known = Remembered(database, query)
    assert [known.get(0), known.get(0), query.asked] == [0, 0, 1]
    assert database._witness is not None
    in_use = database._witness._free.pop()
    assert (database.state(), known.get(0), query.asked) == (None, 0, 2)
    database._witness._free.append(in_use)
    assert (known.get(0), query.asked) == (0, 2)


def test_a_witness_that_is_closed_while_it_is_in_use_is_closed_after_that(database: Database) -> None:
    witness = database._witness
    assert witness is not None
    assert witness.state() is not None
    in_use = witness._free.pop()
    witness.close()
    assert in_use is not None
    assert in_use.execute("SELECT 1").fetchone() == (1,)
    witness._free.append(in_use)
    witness.close()
    with pytest.raises(sqlite3.ProgrammingError):
        in_use.execute("SELECT 1")
    assert witness.state() is None


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_asked_each_time(url: str) -> None:
    database = Database(url)
    known = Remembered(database, lambda connection, _key: connection.exec_driver_sql("SELECT 7").scalar_one())
    assert database.state() is None
    assert [known.get(1), known.get(1)] == [7, 7]
    database.close()


def test_after_the_end_nothing_is_remembered(database: Database) -> None:
    assert database.state() is not None
    database.close()
    assert database.state() is None
