"""Users, engines and their shares, what guards signed requests, and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the first tables."""
    op.create_table(
        "users",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("username", sa.String(64)),
        sa.Column("email", sa.String(254)),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("address", name="uq_users_address"),
        sa.UniqueConstraint("username", name="uq_users_username"),
    )
    _create_engines()
    _create_guards()
    op.create_table(
        "audit_log",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_at_ms", "audit_log", ["at_ms"])


def _create_engines() -> None:
    op.create_table(
        "engines",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner_address", sa.String(42)),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("last_seen_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_engines"),
        sa.UniqueConstraint("token_hash", name="uq_engines_token_hash"),
    )
    op.create_index("ix_engines_owner_address", "engines", ["owner_address"])
    op.create_table(
        "engine_shares",
        sa.Column("engine_id", sa.String(64), nullable=False),
        sa.Column("guest_address", sa.String(42), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("signed_grant", sa.Text),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("engine_id", "guest_address", name="pk_engine_shares"),
        sa.ForeignKeyConstraint(
            ["engine_id"], ["engines.id"], name="fk_engine_shares_engine_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("role IN ('reader', 'runner', 'admin')", name="ck_engine_shares_role"),
    )
    op.create_index("ix_engine_shares_guest_address", "engine_shares", ["guest_address"])


def _create_guards() -> None:
    op.create_table(
        "replay_keys",
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_replay_keys"),
    )
    op.create_index("ix_replay_keys_expires_ms", "replay_keys", ["expires_ms"])
    op.create_table(
        "socket_sessions",
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.Column("revoked_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("key", name="pk_socket_sessions"),
    )
    op.create_index("ix_socket_sessions_address", "socket_sessions", ["address"])
    op.create_index("ix_socket_sessions_expires_ms", "socket_sessions", ["expires_ms"])
