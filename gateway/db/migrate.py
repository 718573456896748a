"""Brings the database to the schema this version needs, at every start."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from gateway.db.database import Database
from shared.errors import ErrorCode, FloworkError

MIGRATIONS = Path(__file__).parent / "migrations"
EMPTY = MIGRATIONS / "empty.sql"
# Any number will do, as long as every gateway uses the same one.
_LOCK = 0x666C6F77


def revisions() -> list[str]:
    """Return all revisions in order; a file ``v0001_what.py`` holds revision ``0001``."""
    return sorted(file.name[1:5] for file in (MIGRATIONS / "versions").glob("v[0-9]*.py"))


def upgrade(database: Database) -> None:
    """Apply what is missing, in one transaction. Several gateways may start at once; one of them does it.

    Raises `FloworkError` CONFIGURATION where the database was made by a newer version.
    """
    known = revisions()
    with database.write() as connection:
        lock(database, connection)
        present = current(connection)
        if present == known[-1]:
            return
        if present is not None and present not in known:
            raise FloworkError(
                ErrorCode.CONFIGURATION,
                f"The gateway's database has schema {present}, newer than this version knows ({known[-1]}). "
                "Start the newer version, or restore a backup made before the update.",
            )
        if present is None and database.is_sqlite and not inspect(connection).get_table_names():
            fill_empty(connection)
        else:
            run_all(connection)


def lock(database: Database, connection: Connection) -> None:
    """Let other gateways that start wait until this transaction ends; SQLite has one writer anyway."""
    if not database.is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def current(connection: Connection) -> str | None:
    """Return the revision of the database, or None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if revision is None else str(revision)


def fill_empty(connection: Connection) -> None:
    """Make in an empty SQLite file what the migrations would make of it, without their library."""
    for statement in _statements(EMPTY.read_text(encoding="utf-8")):
        connection.exec_driver_sql(statement)


def run_all(connection: Connection) -> None:
    """Run the migrations that are missing."""
    # Only here: Alembic takes as long to import as everything else of the start together.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", MIGRATIONS.as_posix().replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script, each of which begins on a line of its own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
