"""With SQLite, used signatures lie in a file of their own: writing them is no news for what is remembered."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Move the keys there, all of which stay. They are on the disk before they are taken out of here."""
    if op.get_context().dialect.name != "sqlite":
        return
    bind = op.get_bind()
    path = str(bind.engine.url.database or ":memory:")
    if path.partition(":")[0] in {"", "file"}:
        return
    keys = [tuple(row) for row in bind.execute(sa.text("SELECT key, expires_ms FROM replay_keys"))]
    if not keys:
        return
    with closing(sqlite3.connect(f"{path}-signatures", isolation_level=None)) as beside:
        beside.execute("PRAGMA journal_mode=WAL")
        beside.execute("PRAGMA synchronous=FULL")
        beside.execute("BEGIN IMMEDIATE")
        beside.execute(
            "CREATE TABLE IF NOT EXISTS replay_keys (key BLOB NOT NULL, expires_ms INTEGER NOT NULL, "
            "PRIMARY KEY (expires_ms, key)) WITHOUT ROWID"
        )
        beside.executemany("INSERT INTO replay_keys VALUES (?, ?) ON CONFLICT DO NOTHING", keys)
        beside.execute("COMMIT")
    op.execute("DELETE FROM replay_keys")
