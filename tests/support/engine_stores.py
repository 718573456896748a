"""The engine's store on a real PostgreSQL server, opened for tests: each folder is a schema."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import psycopg

from core_engine.storage.postgres.store import PostgresStore, open_postgres
from core_engine.storage.postgres.target import Target
from tests.support.postgres import PostgresServer

_TABLES = (
    "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables"
    " WHERE schemaname = ANY(%s) AND tablename <> %s"
)


def target_of(server: PostgresServer, folder: Path) -> Target:
    """Return a schema of the folder's own."""
    return Target.of(server.url, "s" + hashlib.sha256(str(folder).encode()).hexdigest()[:16])


class Schemas:
    """Schemas that are used again: a test's folders get one each, and `clean` empties them for the next test."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._of: dict[Path, Target] = {}

    def open(self, folder: Path) -> PostgresStore:
        """Open what stands for the folder, the same schema each time."""
        target = self._of.setdefault(folder, Target.of(self._server.url, f"test_{len(self._of) + 1}"))
        return open_postgres(target, folder, lease=1.0)

    def clean(self) -> None:
        """Empty them."""
        used, self._of = [target.schema for target in self._of.values()], {}
        with self._server.connect() as link, suppress(psycopg.errors.UndefinedTable):
            tables = [row[0] for row in link.execute(_TABLES, (used, "engine_schema")).fetchall()]
            if tables:
                link.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
