"""Profiles, what pages keep, share links, claim requests, switched-off components and the marketplace."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.add_column("users", sa.Column("username_key", sa.String(64)))
    op.add_column("users", sa.Column("bio", sa.String(500)))
    op.add_column("users", sa.Column("avatar", sa.Text))
    op.create_index("ix_users_username_key", "users", ["username_key"], unique=True)
    op.add_column("engines", sa.Column("share_epoch", sa.BigInteger, nullable=False, server_default="1"))
    op.create_table(
        "user_documents",
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("address", "kind", name="pk_user_documents"),
    )
    op.create_table(
        "disabled_components",
        sa.Column("component_id", sa.String(100), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("by_address", sa.String(42), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("component_id", name="pk_disabled_components"),
    )
    _create_shares()
    _create_marketplace()


def _create_shares() -> None:
    op.create_table(
        "workflow_shares",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("engine_id", sa.String(64), nullable=False),
        sa.Column("owner_address", sa.String(42), nullable=False),
        sa.Column("preset", sa.String(120), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("link_name", sa.String(100), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("signed_text", sa.Text),
        sa.Column("signature", sa.String(132)),
        sa.Column("expires_ms", sa.BigInteger),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workflow_shares"),
        sa.UniqueConstraint("token_hash", name="uq_workflow_shares_token_hash"),
        sa.ForeignKeyConstraint(
            ["engine_id"], ["engines.id"], name="fk_workflow_shares_engine_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint("level IN ('view', 'view-run', 'view-edit-run')", name="ck_workflow_shares_level"),
    )
    op.create_index("ix_workflow_shares_owner_address", "workflow_shares", ["owner_address"])
    op.create_index("ix_workflow_shares_engine_id", "workflow_shares", ["engine_id"])
    op.create_table(
        "claim_requests",
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("engine_id", sa.String(64), nullable=False),
        sa.Column("owner_address", sa.String(42), nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_claim_requests"),
        sa.ForeignKeyConstraint(
            ["engine_id"], ["engines.id"], name="fk_claim_requests_engine_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_claim_requests_expires_ms", "claim_requests", ["expires_ms"])


def _create_marketplace() -> None:
    op.create_table(
        "marketplace_items",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("description", sa.String(2000), nullable=False),
        sa.Column("price", sa.String(32), nullable=False),
        sa.Column("author_address", sa.String(42), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("published_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_marketplace_items"),
    )
    for column in ("type", "author_address", "published_ms"):
        op.create_index(f"ix_marketplace_items_{column}", "marketplace_items", [column])
    op.create_table(
        "marketplace_versions",
        sa.Column("item_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("published_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("item_id", "version", name="pk_marketplace_versions"),
        _of_item("marketplace_versions"),
    )
    op.create_table(
        "marketplace_votes",
        sa.Column("item_id", sa.String(64), nullable=False),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("vote", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("item_id", "address", name="pk_marketplace_votes"),
        _of_item("marketplace_votes"),
        sa.CheckConstraint("vote IN (-1, 1)", name="ck_marketplace_votes_vote"),
    )
    op.create_index("ix_marketplace_votes_address", "marketplace_votes", ["address"])


def _of_item(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_item_id"
    return sa.ForeignKeyConstraint(["item_id"], ["marketplace_items.id"], name=name, ondelete="CASCADE")
