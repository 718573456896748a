"""The stores that an engine can have, opened for tests: on files, and on schemas of a real PostgreSQL server."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from core_engine.storage import EngineStore
from core_engine.storage.postgres.store import PostgresStore, open_postgres
from core_engine.storage.postgres.target import Target
from tests.support.postgres import PostgresServer

Opener = Callable[[Path], EngineStore]


def target_of(server: PostgresServer, folder: Path) -> Target:
    """Return a schema of the folder's own."""
    schema = "s" + hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    return Target.of(server.url, schema)


def postgres_opener(server: PostgresServer) -> Callable[[Path], PostgresStore]:
    """Return what opens a folder's schema, the same one each time."""
    return lambda folder: open_postgres(target_of(server, folder), folder, lease=1.0)
