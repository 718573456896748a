"""One PostgreSQL server for the tests of this folder; each test has a schema of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core_engine.storage import EngineStore
from tests.support.engine_stores import postgres_opener
from tests.support.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as made:
        yield made


@pytest.fixture
def on_postgres(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever a test opens in a folder be a schema of its own on the server, instead of files."""
    monkeypatch.setattr(EngineStore, "open", staticmethod(postgres_opener(server)))
