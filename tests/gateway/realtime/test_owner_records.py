"""The owner an engine reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.db import migrate
from gateway.db.database import Database
from gateway.realtime.owner_records import OwnerRecords
from gateway.resources.engines import queries
from shared.clock import ManualClock

ME, OTHER = "0x" + "aB" * 20, "0x" + "12" * 20


@pytest.mark.parametrize(
    ("recorded", "reported", "after"),
    [
        (None, ME, ME.lower()),
        (None, None, None),
        (None, "a-user-id", None),
        (ME.lower(), ME, ME.lower()),
        (ME.lower(), OTHER, ME.lower()),
    ],
)
def test_only_a_missing_owner_is_recorded(
    tmp_path: Path, clock: ManualClock, recorded: str | None, reported: str | None, after: str | None
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    migrate.upgrade(database)
    with database.write() as connection:
        queries.add(connection, engine_id="e", owner=recorded, name="x", token_hash="h", now_ms=1)
    OwnerRecords(database, clock).reconcile("e", reported)
    OwnerRecords(database, clock).reconcile("unknown", reported)
    with database.read() as connection:
        row = queries.find(connection, "e")
    database.close()
    assert row is not None
    assert row.owner_address == after
