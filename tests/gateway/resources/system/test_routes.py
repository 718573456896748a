"""Health over HTTP."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from sqlalchemy.exc import OperationalError

from gateway.db.database import Database
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine


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


async def test_the_broom_clears_kept_answers_and_nothing_else(timed: Gateway, wallet: WalletKey) -> None:
    asked: list[str] = []

    async def on_request(data: dict[str, Any]) -> dict[str, Any]:
        asked.append(data["path"])
        return {"status": 200, "body": base64.b64encode(b"[]").decode(), "headers": {"ETag": '"a"'}}

    async with engine(timed, timed.bundled_id, timed.bundled_token) as link:
        link.client.on("engine_request", on_request, namespace="/engine-socket")
        for _ in range(2):
            assert (await asyncio.to_thread(timed.send, "GET", "/api/v1/news")).status_code == 200
        assert timed.send("POST", "/api/v1/system/clear-cache").status_code == 401
        cleared = timed.call(wallet, "POST", "/system/clear-cache").json()["stats"]
        assert cleared == {"files_deleted": 1, "folders_deleted": 0, "db_rows_deleted": 0, "errors": 0}
        await asyncio.to_thread(timed.send, "GET", "/api/v1/news")
    assert len(asked) == 2
