"""Billing: usage, quotes, payments, credit, subscriptions, invoices that nothing can change, notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0010"
branch_labels = None
depends_on = None

_REFUSAL = "invoices cannot be changed"


def upgrade() -> None:
    """Create the tables of billing."""
    _create_usage()
    _create_quotes()
    _create_payments()
    _create_ledger()
    _create_invoices()


def _number() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _create_usage() -> None:
    op.create_table(
        "usage_counts",
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("key", sa.String(24), nullable=False),
        sa.Column("engine_id", sa.String(64), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("address", "day", "key", "engine_id", "source", name="pk_usage_counts"),
    )
    op.create_index("ix_usage_counts_day", "usage_counts", ["day"])
    op.create_table(
        "billing_accounts",
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("address", name="pk_billing_accounts"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("plan", sa.String(32), nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("address", "plan", name="pk_subscriptions"),
    )
    op.create_index("ix_subscriptions_expires_ms", "subscriptions", ["expires_ms"])


def _create_quotes() -> None:
    op.create_table(
        "billing_quotes",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("plan", sa.String(32), nullable=False),
        sa.Column("months", sa.Integer, nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("asset", sa.String(16), nullable=False),
        sa.Column("recipient", sa.String(42), nullable=False),
        sa.Column("amount", sa.String(78), nullable=False),
        sa.Column("credit_used", sa.String(78), nullable=False),
        sa.Column("reference", sa.Integer, nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_billing_quotes"),
        sa.CheckConstraint("status IN ('open', 'paid', 'closed')", name="ck_billing_quotes_status"),
    )
    op.create_index("ix_billing_quotes_address", "billing_quotes", ["address"])
    op.create_index("ix_billing_quotes_status", "billing_quotes", ["status", "expires_ms"])


def _create_payments() -> None:
    op.create_table(
        "billing_payments",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("tx_hash", sa.String(66), nullable=False),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("asset", sa.String(42)),
        sa.Column("amount", sa.String(78)),
        sa.Column("credited", sa.String(78)),
        sa.Column("quote_id", sa.String(36)),
        sa.Column("block_number", sa.BigInteger),
        sa.Column("block_hash", sa.String(66)),
        sa.Column("confirmations", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("settled_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_billing_payments"),
        sa.UniqueConstraint("chain_id", "tx_hash", name="uq_billing_payments_chain_id"),
        sa.ForeignKeyConstraint(["quote_id"], ["billing_quotes.id"], name="fk_billing_payments_quote_id"),
        sa.CheckConstraint("state IN ('pending', 'settled', 'final')", name="ck_billing_payments_state"),
    )
    op.create_index("ix_billing_payments_address", "billing_payments", ["address"])
    op.create_index("ix_billing_payments_state", "billing_payments", ["state"])


def _create_ledger() -> None:
    op.create_table(
        "billing_credits",
        sa.Column("id", _number(), autoincrement=True, nullable=False),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("asset", sa.String(16), nullable=False),
        sa.Column("amount", sa.String(79), nullable=False),
        sa.Column("reason", sa.String(80), nullable=False),
        sa.Column("source", sa.String(120), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_billing_credits"),
        sa.UniqueConstraint("source", name="uq_billing_credits_source"),
    )
    op.create_index("ix_billing_credits_address", "billing_credits", ["address"])
    op.create_table(
        "billing_notices",
        sa.Column("id", _number(), autoincrement=True, nullable=False),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("message", sa.String(500), nullable=False),
        sa.Column("source", sa.String(160), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_billing_notices"),
        sa.UniqueConstraint("source", name="uq_billing_notices_source"),
    )
    op.create_index("ix_billing_notices_address", "billing_notices", ["address"])


def _create_invoices() -> None:
    op.create_table(
        "billing_counters",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_billing_counters"),
    )
    op.execute("INSERT INTO billing_counters (name, value) VALUES ('invoice', 0)")
    op.create_table(
        "billing_invoices",
        sa.Column("number", _number(), autoincrement=False, nullable=False),
        sa.Column("address", sa.String(42), nullable=False),
        sa.Column("source", sa.String(120), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("issued_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_billing_invoices"),
        sa.UniqueConstraint("source", name="uq_billing_invoices_source"),
    )
    op.create_index("ix_billing_invoices_address", "billing_invoices", ["address"])
    if op.get_context().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER billing_invoices_no_{act.lower()} BEFORE {act} ON billing_invoices "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION billing_invoices_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
        )
        op.execute(
            "CREATE TRIGGER billing_invoices_refuse BEFORE UPDATE OR DELETE ON billing_invoices "
            "FOR EACH ROW EXECUTE FUNCTION billing_invoices_refuse()"
        )
