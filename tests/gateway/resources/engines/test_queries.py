"""The queries of engines against a real database."""

from __future__ import annotations

from gateway.db.database import Database
from gateway.resources.engines import queries


def add(database: Database, engine_id: str, owner: str | None, name: str = "x") -> None:
    with database.write() as connection:
        queries.add(
            connection,
            engine_id=engine_id,
            owner=owner,
            name=name,
            token_hash=f"hash of {engine_id}",
            now_ms=1,
        )


def share(database: Database, engine_id: str, guest: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO engine_shares (engine_id, guest_address, role, created_ms) VALUES (?, ?, 'runner', 1)",
            (engine_id, guest),
        )


def test_an_address_sees_its_own_engines_and_those_shared_with_it(database: Database) -> None:
    add(database, "a", "0xme")
    add(database, "b", "0xother")
    add(database, "c", "0xother")
    share(database, "c", "0xme")
    with database.read() as connection:
        assert queries.visible_to(connection, "0xme") == ["a", "c"]
        assert queries.audience(connection, "c") == ["0xother", "0xme"]
        assert queries.audience(connection, "unknown") == []


def test_deleting_an_engine_deletes_its_shares(database: Database) -> None:
    add(database, "a", "0xme")
    share(database, "a", "0xguest")
    with database.write() as connection:
        assert queries.remove(connection, "a", "0xother") is False
        assert queries.remove(connection, "a", "0xme") is True
        assert queries.visible_to(connection, "0xguest") == []


def test_an_engine_gets_its_first_owner_once(database: Database) -> None:
    add(database, "a", None)
    with database.write() as connection:
        assert queries.set_first_owner(connection, "a", "0xme") is True
        assert queries.set_first_owner(connection, "a", "0xother") is False
        assert queries.set_first_owner(connection, "unknown", "0xme") is False
        row = queries.find(connection, "a")
    assert row is not None
    assert row.owner_address == "0xme"


def test_the_token_is_looked_up_through_an_index(database: Database) -> None:
    with database.read() as connection:
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN SELECT id FROM engines WHERE token_hash = 'x'")
        assert "USING INDEX" in str(plan.fetchall()).replace("COVERING ", "")
