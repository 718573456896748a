"""Questions are answered alike in a transaction, of SQLite directly and of a server, and always as of now."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Boolean, bindparam, cast, select
from sqlalchemy.exc import DatabaseError

from gateway.db import migrate
from gateway.db.database import Database
from gateway.db.questions import Question
from gateway.db.tables import engines
from tests.support.databases import Databases

BY_OWNER = Question(
    select(engines.c.id, engines.c.last_seen_ms).where(engines.c.owner_address == bindparam("owner"))
)
ADD = "INSERT INTO engines (id, owner_address, name, token_hash, created_ms) VALUES (?, '0xme', 'x', ?, 1)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


def add(database: Database, engine_id: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(ADD, (engine_id, engine_id))


def test_an_answer_is_as_of_now_whoever_wrote(database: Database, path: Path) -> None:
    assert BY_OWNER.rows(database, owner="0xme") == []
    assert BY_OWNER.first(database, owner="0xme") is None
    add(database, "a")
    assert BY_OWNER.rows(database, owner="0xme") == [("a", None)]
    with sqlite3.connect(path) as other:  # as another process does
        other.execute(ADD, ("b", "b"))
    other.close()
    assert BY_OWNER.rows(database, owner="0xme") == [("a", None), ("b", None)]
    assert BY_OWNER.rows(database, owner="0xother") == []


def test_what_is_not_committed_is_seen_within_its_transaction_only(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(ADD, ("a", "a"))
        assert BY_OWNER.rows(connection, owner="0xme") == [("a", None)]
        assert BY_OWNER.rows(database, owner="0xme") == []


def test_a_value_is_never_a_part_of_the_query(database: Database) -> None:
    add(database, "a")
    assert BY_OWNER.rows(database, owner="x' OR '1'='1") == []


def test_a_database_in_memory_is_asked_through_the_library() -> None:
    database = Database("sqlite://")
    migrate.upgrade(database)
    add(database, "a")
    assert BY_OWNER.rows(database, owner="0xme") == [("a", None)]
    with pytest.raises(TypeError):
        database.read_directly("SELECT 1", {})
    database.close()


def test_a_server_answers_alike(postgres: Databases) -> None:
    database = Database(postgres.create_migrated())
    with database.write() as connection:
        connection.exec_driver_sql(ADD.replace("?", "'a'"))
    assert BY_OWNER.rows(database, owner="0xme") == [("a", None)]
    database.close()


def test_threads_ask_at_the_same_time(database: Database) -> None:
    add(database, "a")
    told: list[object] = []

    def ask() -> None:
        told.extend(BY_OWNER.first(database, owner="0xme") for _ in range(200))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [("a", None)] * 800


def test_an_error_is_the_librarys_and_the_next_question_is_answered(database: Database, path: Path) -> None:
    BY_OWNER.rows(database, owner="0xme")
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE engines RENAME TO elsewhere")
    with pytest.raises(DatabaseError):
        BY_OWNER.rows(database, owner="0xme")
    with sqlite3.connect(path) as again:
        again.execute("ALTER TABLE elsewhere RENAME TO engines")
    assert BY_OWNER.rows(database, owner="0xme") == []
    for connection in (other, again):
        connection.close()


def test_closing_leaves_no_connection_behind(database: Database, path: Path) -> None:
    BY_OWNER.rows(database, owner="0xme")
    database.close()
    assert not path.with_name("gateway.db-wal").exists()  # the last connection to close removes it


@pytest.mark.parametrize(
    "query",
    [
        select(engines.c.id).where(engines.c.owner_address == "0xme"),
        select(cast(engines.c.share_epoch, Boolean)),
    ],
)
def test_what_needs_more_than_text_is_no_question(database: Database, query) -> None:
    with pytest.raises(TypeError, match="not a question"):
        Question(query).rows(database)
