"""Engine tokens against a real database."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.auth.engine_token import EngineTokens, hash_token
from gateway.db import migrate
from gateway.db.database import Database
from gateway.resources.engines import queries
from shared.errors import FloworkError
from shared.ids import new_engine_token


def test_only_the_right_pair_is_an_engine(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    migrate.upgrade(database)
    mine, other = new_engine_token(), new_engine_token()
    with database.write() as connection:
        for engine_id, token in (("mine", mine), ("other", other)):
            queries.add(
                connection, engine_id=engine_id, owner=None, name="x", token_hash=hash_token(token), now_ms=1
            )
    tokens = EngineTokens(database)
    row = tokens.authenticate("mine", mine)
    assert row.id == "mine"
    for engine_id, token in (
        ("mine", other),
        ("other", mine),
        ("Mine", mine),
        ("", ""),
        ("mine", row.token_hash),
    ):
        with pytest.raises(FloworkError, match="Invalid engine_id or token"):
            tokens.authenticate(engine_id, token)
    with pytest.raises(FloworkError):
        tokens.authenticate("\ud800", "\ud800")
    assert tokens.is_current(row)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE engines SET token_hash = 'new' WHERE id = 'mine'")
    assert not tokens.is_current(row)
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM engines WHERE id = 'mine'")
    assert not tokens.is_current(row)
    database.close()
