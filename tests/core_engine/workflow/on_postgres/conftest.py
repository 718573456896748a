"""The tests of this folder are those of the folder above, once more: here the journal is on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core_engine.storage import EngineStore
from tests.support.engine_stores import Schemas
from tests.support.postgres import postgres_server

OF_FILES = frozenset(
    {
        "test_a_crash_after_the_answer_follows_the_policy",
        "test_a_damaged_one_is_held_when_it_is_asked_for",
        "test_answers_at_any_moment_of_the_parking_lose_nothing",
        "test_killed_while_it_waits_it_still_waits_and_nothing_runs_twice",
        "test_large_payloads_live_in_files_and_are_read_back",
    }
)
"""Tests that copy, damage or look into the files of the embedded store themselves."""


@pytest.fixture(scope="session")
def schemas() -> Iterator[Schemas]:
    with postgres_server() as server:
        yield Schemas(server)


@pytest.fixture(autouse=True)
def on_postgres(schemas: Schemas, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let whatever a test opens in a folder be a schema on the server, instead of files."""
    monkeypatch.setattr(EngineStore, "open", schemas.open)
    yield
    schemas.clean()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = __file__.rpartition("/")[0]
    items[:] = [
        item
        for item in items
        if not (str(item.path).startswith(here) and getattr(item, "originalname", "") in OF_FILES)
    ]
