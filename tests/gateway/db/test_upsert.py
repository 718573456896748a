"""Rows that are entered or changed, also by two writers at once."""

from __future__ import annotations

from sqlalchemy import event, insert, select

from gateway.db import upsert
from gateway.db.database import Database
from gateway.db.tables import user_documents

KEY = {"address": "0xa", "kind": "x"}


def test_a_row_is_entered_then_changed(database: Database) -> None:
    with database.write() as connection:
        assert upsert.put(connection, user_documents, KEY, {"body": "1"}, {"updated_ms": 1}) is True
        assert upsert.put(connection, user_documents, KEY, {"body": "2"}, {"updated_ms": 2}) is False
        rows = connection.execute(select(user_documents)).all()
    assert [tuple(row) for row in rows] == [("0xa", "x", "2", 1)]


def test_another_writer_may_be_quicker(database: Database) -> None:
    with database.write() as connection:

        @event.listens_for(connection, "savepoint", once=True)
        def quicker(*_: object) -> None:
            connection.execute(insert(user_documents).values(**KEY, body="theirs", updated_ms=1))

        assert upsert.put(connection, user_documents, KEY, {"body": "ours"}, {"updated_ms": 2}) is False
        body = connection.execute(select(user_documents.c.body)).scalar()
    assert body == "ours"
