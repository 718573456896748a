"""gateway/db/migrations/empty.sql: what all migrations together make of an empty SQLite file."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from gateway.db import migrate
from gateway.db.database import Database

FILENAME = "gateway/db/migrations/empty.sql"

_HEAD = "-- What the migrations make of an empty SQLite file (generated); a first start runs only this.\n"
_NOT_OURS = ("BEGIN TRANSACTION", "COMMIT", 'DELETE FROM "sqlite_sequence"')


def make() -> str:
    """Return the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.db"
        database = Database(f"sqlite:///{path}")
        with database.write() as connection:
            migrate.run_all(connection)
        database.close()
        with closing(sqlite3.connect(path)) as made:
            statements = [line for line in made.iterdump() if not line.startswith(_NOT_OURS)]
    return _HEAD + "".join(f"{statement}\n" for statement in statements)
