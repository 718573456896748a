"""The tables on PostgreSQL: made once by however many processes start, and the same ones as in the embedded store."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from core_engine.storage import EngineStore
from core_engine.storage.postgres.link import PostgresLink
from core_engine.storage.postgres.schema import VERSION, migrate
from core_engine.storage.postgres.store import open_postgres
from core_engine.storage.postgres.target import Target
from shared.errors import ErrorCode, FloworkError
from tests.support.engine_stores import target_of
from tests.support.postgres import PostgresServer

_COLUMNS = (
    "SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY 1"
)


def test_processes_that_start_together_make_the_tables_once(server: PostgresServer, tmp_path: Path):
    target = target_of(server, tmp_path)

    def start(_: int) -> None:
        with closing(PostgresLink(target, "test")) as link:
            migrate(link, target)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    with closing(PostgresLink(target, "test")) as link:
        assert link.run("SELECT version FROM engine_schema").fetchall() == [(VERSION,)]


def test_each_table_of_the_embedded_store_is_there_with_the_same_columns(
    server: PostgresServer, tmp_path: Path
):
    EngineStore.open(tmp_path).close()
    target = target_of(server, tmp_path)
    with (
        closing(PostgresLink(target, "test")) as link,
        closing(sqlite3.connect(tmp_path / "engine.db")) as files,
    ):
        migrate(link, target)
        tables = [row[0] for row in files.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert "segment" in tables
        for table in tables:
            if table.startswith("sqlite_"):
                continue
            here = sorted(row[1] for row in files.execute(f"PRAGMA table_info({table})"))
            there = [row[0] for row in link.run(_COLUMNS, (target.schema, table)).fetchall()]
            assert there == here, table


def test_a_newer_schema_is_refused_and_left_alone(server: PostgresServer, tmp_path: Path):
    target = target_of(server, tmp_path)
    with closing(PostgresLink(target, "test")) as link:
        migrate(link, target)
        link.run("UPDATE engine_schema SET version = 99")
    with pytest.raises(FloworkError, match="newer engine") as caught:
        open_postgres(target, tmp_path / "data")
    assert caught.value.code is ErrorCode.CONFIGURATION


@pytest.mark.parametrize("url", ["postgres://h/d", "postgresql://h/d", "postgresql+psycopg://h/d"])
def test_the_spellings_of_the_url_mean_the_same(url: str):
    assert Target.of(url).url == "postgresql://h/d"


@pytest.mark.parametrize(("url", "schema"), [("mysql://h/d", "engine"), ("postgres://h/d", 'a"; DROP')])
def test_what_is_no_target_is_refused(url: str, schema: str):
    with pytest.raises(FloworkError) as caught:
        Target.of(url, schema)
    assert caught.value.code is ErrorCode.CONFIGURATION
