"""What is forgotten with time, and what is not."""

from __future__ import annotations

from typing import Any

from gateway.db import audit
from gateway.db.billing_tables import usage_counts
from gateway.db.database import Database
from gateway.db.tables import (
    audit_log,
    claim_requests,
    engines,
    replay_keys,
    socket_sessions,
    workflow_shares,
)
from gateway.sweeping import DAY_MS, Sweeper
from shared.clock import ManualClock
from tests.gateway.support import Gateway

OWNER, GUEST = "0x" + "a" * 40, "0x" + "b" * 40


def link(name: str, expires_ms: int | None) -> dict[str, Any]:
    return {
        "id": name, "engine_id": "e1", "owner_address": OWNER, "preset": "p", "level": "view", "link_name": "",
        "token_hash": name, "expires_ms": expires_ms, "created_ms": 0,
    }  # fmt: skip


def fill(database: Database, now_ms: int) -> None:
    """Enter one thing of each kind that has just expired, and one that has not."""
    with database.write() as connection:
        engine = {"id": "e1", "owner_address": OWNER, "name": "E", "token_hash": "h", "created_ms": 0}
        connection.execute(engines.insert().values(**engine))
        connection.execute(workflow_shares.insert(), [link("never", None)])
        for key, end in ((b"old", now_ms), (b"new", now_ms + 1)):
            connection.execute(replay_keys.insert().values(key=key, expires_ms=end))
            connection.execute(socket_sessions.insert().values(key=key, address=OWNER, expires_ms=end))
            waiting = {"key": key, "engine_id": "e1", "owner_address": OWNER, "expires_ms": end}
            connection.execute(claim_requests.insert().values(**waiting))
            connection.execute(workflow_shares.insert().values(**link(key.decode(), end)))
        audit.record(connection, OWNER, "sign_in", OWNER, now_ms - audit.KEEP_MS - 1)
        audit.record(connection, OWNER, "logout", OWNER, now_ms - audit.KEEP_MS + 1)


def test_what_has_expired_is_forgotten_and_nothing_else(database: Database, clock: ManualClock) -> None:
    fill(database, clock.now_ms())
    sweeper = Sweeper(database, clock)
    for _ in range(2):
        sweeper.sweep()
        with database.read() as connection:
            for table in (replay_keys, socket_sessions, claim_requests):
                assert connection.scalars(table.select().with_only_columns(table.c.key)).all() == [b"new"]
            names = connection.scalars(workflow_shares.select().with_only_columns(workflow_shares.c.id))
            assert set(names) == {"never", "new"}
            acts = connection.scalars(audit_log.select().with_only_columns(audit_log.c.action)).all()
            assert acts == ["logout"]


def test_a_late_count_of_a_deleted_account_is_forgotten(database: Database, clock: ManualClock) -> None:
    now_ms = clock.now_ms()
    row = {"day": "2023-11-14", "key": "runs", "engine_id": "e1", "source": "s", "count": 1}
    with database.write() as connection:
        connection.execute(usage_counts.insert(), [row | {"address": OWNER}, row | {"address": GUEST}])
        audit.record(connection, OWNER, "account_delete", OWNER, now_ms - DAY_MS + 1)
    Sweeper(database, clock).sweep()
    with database.read() as connection:
        assert connection.scalars(usage_counts.select()).all() == [GUEST]


def test_the_gateway_sweeps_by_itself(timed: Gateway, clock: ManualClock) -> None:
    assert timed.app is not None
    database = timed.app._database
    fill(database, clock.now_ms())
    timed.app._scheduler.round()
    with database.read() as connection:
        kept = connection.scalars(replay_keys.select().with_only_columns(replay_keys.c.key)).all()
    assert kept == [b"new"]
