"""The schema: what the migrations make is what the code expects, and no start loses data."""

from __future__ import annotations

import io
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from gateway.db import migrate
from gateway.db.database import Database
from gateway.db.key_stores import SqliteKeys
from gateway.db.running import directly
from gateway.db.tables import metadata
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError
from tests.gateway.support import ROOT


@pytest.fixture
def database(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    yield database
    database.close()


def config() -> Config:
    config = Config(output_buffer=io.StringIO())
    config.set_main_option("script_location", str(migrate.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


@pytest.mark.parametrize("way", [migrate.run_all, migrate.fill_empty])
def test_the_migrations_make_the_tables_of_the_code(
    database: Database, way: Callable[[Connection], None]
) -> None:
    with database.write() as connection:
        way(connection)
    migrate.upgrade(database)
    with database.read() as connection:
        assert migrate.current(connection) == migrate.revisions()[-1]
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_the_files_are_one_line_of_history() -> None:
    script = ScriptDirectory.from_config(config())
    history = [revision.revision for revision in script.walk_revisions()]
    assert history[::-1] == migrate.revisions()
    assert script.get_heads() == [migrate.revisions()[-1]]


def test_a_second_start_keeps_what_is_there(database: Database) -> None:
    migrate.upgrade(database)
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO replay_keys VALUES (X'01', 5)")
    migrate.upgrade(database)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT expires_ms FROM replay_keys").scalar() == 5


def test_gateways_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    def start(_number: int) -> str | None:
        database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
        try:
            migrate.upgrade(database)
            with database.read() as connection:
                return migrate.current(connection)
        finally:
            database.close()

    with ThreadPoolExecutor(4) as starts:
        assert set(starts.map(start, range(4))) == {migrate.revisions()[-1]}


def test_a_first_start_makes_what_the_migrations_make(tmp_path: Path) -> None:
    files = [tmp_path / "started.db", tmp_path / "migrated.db"]
    started, migrated = (Database(f"sqlite:///{file}") for file in files)
    migrate.upgrade(started)
    with migrated.write() as connection:
        migrate.run_all(connection)
    dumps = []
    for database, file in zip((started, migrated), files, strict=True):
        database.close()
        with closing(sqlite3.connect(file)) as opened:
            dumps.append(list(opened.iterdump()))
    assert dumps[0] == dumps[1]
    assert any("CREATE TRIGGER" in line for line in dumps[0])


def test_a_first_start_does_without_the_library_of_migrations(tmp_path: Path) -> None:
    script = (
        "import sys; from gateway.db import migrate; from gateway.db.database import Database;"
        f"database = Database('sqlite:///{tmp_path / 'gateway.db'}'); migrate.upgrade(database);"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_file_of_an_older_version_is_migrated(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    with database.write() as connection:
        older = config()
        older.attributes["connection"] = connection
        command.upgrade(older, "0003")
        connection.exec_driver_sql("INSERT INTO replay_keys VALUES (X'01', 5)")
        connection.exec_driver_sql(
            "INSERT INTO engines (id, name, token_hash, created_ms) VALUES ('e', 'Engine', 'h', 1)"
        )
    migrate.upgrade(database)
    with database.read() as connection:
        assert migrate.current(connection) == migrate.revisions()[-1]
        assert connection.exec_driver_sql("SELECT name FROM engines").scalar() == "Engine"
    database.close()


@pytest.mark.parametrize("revision", ["0003", "0040"])
def test_a_signature_that_was_used_before_an_update_stays_used(
    tmp_path: Path, clock: ManualClock, revision: str
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    until = clock.now_ms() + 600_000
    keys = [bytes([number]) * 32 for number in range(3)]
    with database.write() as connection:
        older = config()
        older.attributes["connection"] = connection
        command.upgrade(older, revision)
        for key in keys[:2]:
            connection.exec_driver_sql(
                "INSERT INTO replay_keys (key, expires_ms) VALUES (?, ?)", (key, until)
            )

    def stopped_before_the_end() -> None:
        with database.write() as connection:
            migrate.run_all(connection)
            raise KeyError

    with pytest.raises(KeyError):
        stopped_before_the_end()
    migrate.upgrade(database)
    assert SqliteKeys(database, directly).enter([(key, until) for key in keys], None) == [False, False, True]
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM replay_keys").scalar() == 0
    database.close()


@pytest.mark.parametrize("way", ["fill_empty", "run_all"])
def test_a_failed_migration_leaves_nothing_behind(database: Database, monkeypatch, way: str) -> None:
    def broken(connection: Connection) -> None:
        original(connection)
        raise RuntimeError

    original = getattr(migrate, way)
    monkeypatch.setattr(migrate, "fill_empty", broken)
    with pytest.raises(RuntimeError):
        migrate.upgrade(database)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0


def test_a_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    migrate.upgrade(database)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(FloworkError) as refused:
        migrate.upgrade(database)
    assert refused.value.code is ErrorCode.CONFIGURATION
    assert "9999" in refused.value.message


def test_the_migrations_are_sql_that_postgresql_takes() -> None:
    offline = config()
    offline.attributes["dialect"] = "postgresql"
    command.upgrade(offline, "head", sql=True)
    sql = offline.output_buffer.getvalue()
    assert "BYTEA" in sql
    assert "BIGSERIAL" in sql
    assert sql.count("CREATE TABLE") == len(metadata.tables) + 1
