"""The tables of the gateway. It keeps identities, engines and who may use them, never workflow data.

Addresses are stored in lower case, times as Unix milliseconds, secrets as SHA-256 only.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

users = Table(
    "users",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("address", String(42), nullable=False, unique=True),
    Column("username", String(64), unique=True),
    Column("email", String(254)),
    Column("created_ms", BigInteger, nullable=False),
)

engines = Table(
    "engines",
    metadata,
    Column("id", String(64), primary_key=True),
    # Empty until a bundled engine is claimed.
    Column("owner_address", String(42), index=True),
    Column("name", String(100), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_ms", BigInteger, nullable=False),
    Column("last_seen_ms", BigInteger),
)

engine_shares = Table(
    "engine_shares",
    metadata,
    Column("engine_id", String(64), ForeignKey("engines.id", ondelete="CASCADE"), primary_key=True),
    Column("guest_address", String(42), primary_key=True),
    Column("role", String(16), nullable=False),
    # The grant as its owner signed it; the engine verifies it, the gateway only passes it on.
    Column("signed_grant", Text),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("role IN ('reader', 'runner', 'admin')", name="role"),
    Index("ix_engine_shares_guest_address", "guest_address"),
)

replay_keys = Table(
    "replay_keys",
    metadata,
    Column("key", LargeBinary(32), primary_key=True),
    Column("expires_ms", BigInteger, nullable=False, index=True),
)

socket_sessions = Table(
    "socket_sessions",
    metadata,
    # SHA-256 over address and signed text of the first connect.
    Column("key", LargeBinary(32), primary_key=True),
    Column("address", String(42), nullable=False, index=True),
    Column("expires_ms", BigInteger, nullable=False, index=True),
    # Set by a logout; the row stays until it expires, so that the same text cannot open it again.
    Column("revoked_ms", BigInteger),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False, index=True),
    Column("actor", String(64), nullable=False, index=True),
    Column("action", String(40), nullable=False),
    Column("subject", String(64), nullable=False, index=True),
    # The chain: numbers without gaps, and each entry's hash over itself and the hash before.
    Column("seq", BigInteger, unique=True, index=True),
    Column("prev", String(64)),
    Column("hash", String(64)),
)

audit_head = Table(
    "audit_head",
    metadata,
    # One row: the last entry, and the last of those that were forgotten.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("purged_seq", BigInteger, nullable=False),
    Column("purged_hash", String(64), nullable=False),
)
