"""Sessions of GUI sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.db import migrate
from gateway.db.database import Database
from gateway.db.socket_sessions import SessionState, SocketSessions

HOUR = 3_600_000


@pytest.fixture
def sessions(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    migrate.upgrade(database)
    yield SocketSessions(database, lifetime_ms=HOUR)
    database.close()


def test_a_session_is_bound_to_address_and_text(sessions: SocketSessions) -> None:
    sessions.open("0xa", "text", 0)
    assert sessions.state("0xa", "text", 1) is SessionState.ALIVE
    assert sessions.state("0xb", "text", 1) is SessionState.UNKNOWN
    assert sessions.state("0xa", "text 2", 1) is SessionState.UNKNOWN


def test_a_session_ends_and_is_forgotten(sessions: SocketSessions) -> None:
    sessions.open("0xa", "text", 0)
    assert sessions.state("0xa", "text", HOUR - 1) is SessionState.ALIVE
    assert sessions.state("0xa", "text", HOUR) is SessionState.UNKNOWN
    sessions.open("0xb", "other", HOUR)
    with sessions._database.read() as connection:
        assert connection.exec_driver_sql("SELECT address FROM socket_sessions").scalars().all() == ["0xb"]


def test_reconnecting_does_not_prolong_it(sessions: SocketSessions) -> None:
    sessions.open("0xa", "text", 0)
    sessions.open("0xa", "text", HOUR // 2)
    assert sessions.state("0xa", "text", HOUR) is SessionState.UNKNOWN


def test_a_logout_ends_all_of_an_address(sessions: SocketSessions) -> None:
    for address, text in (("0xa", "one"), ("0xa", "two"), ("0xb", "three")):
        sessions.open(address, text, 0)
    sessions.revoke("0xa", 5)
    sessions.open("0xa", "one", 6)
    assert sessions.state("0xa", "one", 7) is SessionState.ENDED
    assert sessions.state("0xa", "two", 7) is SessionState.ENDED
    assert sessions.state("0xb", "three", 7) is SessionState.ALIVE
