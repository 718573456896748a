"""Health over HTTP."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError

from gateway.db.database import Database
from tests.gateway.support import Gateway


def test_healthy(live: Gateway) -> None:
    answer = live.send("GET", "/api/v1/system/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "healthy", "database": "connected"}


def test_a_database_that_does_not_answer(timed: Gateway, monkeypatch) -> None:
    def broken(_self: Database) -> None:
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(Database, "read", broken)
    answer = timed.send("GET", "/api/v1/system/health")
    assert answer.status_code == 503
    assert answer.json() == {"error": "The gateway's database does not answer.", "code": "INTERNAL"}
