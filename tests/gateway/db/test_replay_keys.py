"""Used requests are remembered, also across a restart, and forgotten in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.db import migrate
from gateway.db.database import Database
from gateway.db.replay_keys import PURGE_EVERY_MS, ReplayKeys
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError

KEY = bytes(range(32))


def opened(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'gateway.db'}")
    migrate.upgrade(database)
    return database


def test_a_key_is_admitted_once_even_after_a_restart(tmp_path: Path, clock: ManualClock) -> None:
    first = opened(tmp_path)
    ReplayKeys(first, clock).admit(KEY, clock.now_ms() + 600_000)
    first.close()
    second = opened(tmp_path)
    with pytest.raises(FloworkError) as refused:
        ReplayKeys(second, clock).admit(KEY, clock.now_ms() + 600_000)
    assert refused.value.code is ErrorCode.REPLAYED
    second.close()


def test_expired_keys_are_purged(tmp_path: Path, clock: ManualClock) -> None:
    database = opened(tmp_path)
    keys = ReplayKeys(database, clock)
    for number in range(5):
        keys.admit(bytes([number]), clock.now_ms() + 1000)
    clock.advance(PURGE_EVERY_MS / 1000)
    keys.admit(KEY, clock.now_ms() + 1000)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM replay_keys").scalar() == 1
    database.close()
