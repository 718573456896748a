"""Used signatures lie in the order of their ends: what is written together lies together, and few pages change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0030"
branch_labels = None
depends_on = None

_NAME = "pk_replay_keys"
_ORDER = ["expires_ms", "key"]


def upgrade() -> None:
    """Order the table by the ends of its keys, all of which stay."""
    op.drop_index("ix_replay_keys_expires_ms", "replay_keys")
    if op.get_context().dialect.name != "sqlite":
        op.drop_constraint(_NAME, "replay_keys")
        op.create_primary_key(_NAME, "replay_keys", _ORDER)
        return
    op.rename_table("replay_keys", "former_replay_keys")
    op.create_table(
        "replay_keys",
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint(*_ORDER, name=_NAME),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO replay_keys (key, expires_ms) SELECT key, expires_ms FROM former_replay_keys")
    op.drop_table("former_replay_keys")
