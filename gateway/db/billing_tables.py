"""The tables of billing: usage, quotes, payments, credit, subscriptions, invoices and notices.

Amounts are whole numbers of an asset's smallest unit, kept as text because they may have 256 bits; addresses are in
lower case, times Unix milliseconds, days ``YYYY-MM-DD`` in UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from gateway.db.tables import metadata

FORGOTTEN = "deleted"
"""What stands where the address of a deleted account stood, in what has to be kept."""

_NUMBER = BigInteger().with_variant(Integer, "sqlite")

usage_counts = Table(
    "usage_counts",
    metadata,
    Column("address", String(42), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("key", String(24), primary_key=True),
    Column("engine_id", String(64), primary_key=True),
    # Who counted: a process, or the thing counted itself. Each writes its own total, so writing again changes nothing.
    Column("source", String(80), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index("ix_usage_counts_day", "day"),
)

# One row per payer: whoever changes money locks it first.
billing_accounts = Table(
    "billing_accounts",
    metadata,
    Column("address", String(42), primary_key=True),
    Column("created_ms", BigInteger, nullable=False),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    Column("address", String(42), primary_key=True),
    Column("plan", String(32), primary_key=True),
    Column("expires_ms", BigInteger, nullable=False, index=True),
)

billing_quotes = Table(
    "billing_quotes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("address", String(42), nullable=False),
    Column("plan", String(32), nullable=False),
    Column("months", Integer, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("asset", String(16), nullable=False),
    Column("recipient", String(42), nullable=False),
    Column("amount", String(78), nullable=False),
    Column("credit_used", String(78), nullable=False),
    Column("reference", Integer, nullable=False),
    Column("status", String(8), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    CheckConstraint("status IN ('open', 'paid', 'closed')", name="status"),
    Index("ix_billing_quotes_address", "address"),
    Index("ix_billing_quotes_status", "status", "expires_ms"),
)

billing_payments = Table(
    "billing_payments",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("tx_hash", String(66), nullable=False),
    # Who sent it; until the chain tells, who told of it.
    Column("address", String(42), nullable=False),
    Column("state", String(8), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("asset", String(42)),
    Column("amount", String(78)),
    Column("credited", String(78)),
    Column("quote_id", String(36), ForeignKey("billing_quotes.id")),
    Column("block_number", BigInteger),
    Column("block_hash", String(66)),
    Column("confirmations", BigInteger, nullable=False),
    # Grows when a reorganisation takes a settled payment back, so that it can be settled again.
    Column("attempt", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("settled_ms", BigInteger),
    UniqueConstraint("chain_id", "tx_hash", name="uq_billing_payments_chain_id"),
    CheckConstraint("state IN ('pending', 'settled', 'final')", name="state"),
    Index("ix_billing_payments_address", "address"),
    Index("ix_billing_payments_state", "state"),
)

billing_credits = Table(
    "billing_credits",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("address", String(42), nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("asset", String(16), nullable=False),
    Column("amount", String(79), nullable=False),
    Column("reason", String(80), nullable=False),
    # What the entry is for; the same thing is entered once.
    Column("source", String(120), nullable=False, unique=True),
    Column("at_ms", BigInteger, nullable=False),
    Index("ix_billing_credits_address", "address"),
)

billing_counters = Table(
    "billing_counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

billing_invoices = Table(
    "billing_invoices",
    metadata,
    Column("number", _NUMBER, primary_key=True, autoincrement=False),
    Column("address", String(42), nullable=False, index=True),
    Column("source", String(120), nullable=False, unique=True),
    Column("content", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
)

billing_notices = Table(
    "billing_notices",
    metadata,
    Column("id", _NUMBER, primary_key=True, autoincrement=True),
    Column("address", String(42), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("message", String(500), nullable=False),
    Column("source", String(160), nullable=False, unique=True),
    Column("at_ms", BigInteger, nullable=False),
)
