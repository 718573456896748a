"""What happens around the application at the start."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway import startup
from gateway.auth.engine_token import EngineTokens
from gateway.db import migrate
from gateway.resources.engines import queries
from shared.clock import SystemClock
from shared.errors import FloworkError
from shared.ids import new_engine_token
from tests.gateway.support import settings


def test_the_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    startup.open_database(settings(tmp_path)).close()
    assert stat.S_IMODE((tmp_path / "gateway").stat().st_mode) == 0o700


def test_the_bundled_engine_is_entered_once_and_its_token_stays(tmp_path: Path) -> None:
    first, second = new_engine_token(), new_engine_token()
    for token in (first, second):
        given = settings(
            tmp_path,
            GATEWAY_BUNDLED_ENGINE_ID="eng-1",
            GATEWAY_BUNDLED_ENGINE_TOKEN=token,
            GATEWAY_BUNDLED_ENGINE_NAME="n",
        )
        database = startup.open_database(given)
        migrate.upgrade(database)
        startup.seed(given, database, SystemClock())
        tokens = EngineTokens(database)
        row = tokens.authenticate("eng-1", first)
        assert (row.owner_address, row.name) == (None, "n")
        with pytest.raises(FloworkError):
            tokens.authenticate("eng-1", second)
        with database.read() as connection:
            assert queries.visible_to(connection, "") == []
        database.close()
