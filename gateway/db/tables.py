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
    PrimaryKeyConstraint,
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
    # The name in lower case: two names differ by more than capital letters.
    Column("username_key", String(64)),
    Column("email", String(254)),
    Column("bio", String(500)),
    Column("avatar", Text),
    Column("created_ms", BigInteger, nullable=False),
    Index("ix_users_username_key", "username_key", unique=True),
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
    # The highest share epoch of a grant that its owner signed: what is signed next must not have a lower one.
    Column("share_epoch", BigInteger, nullable=False, server_default="1"),
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

# With PostgreSQL; a file of SQLite has them beside it (`gateway.db.key_stores`), and this one empty.
replay_keys = Table(
    "replay_keys",
    metadata,
    Column("key", LargeBinary(32), nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    # In the order of their ends, so that a write changes few pages, and a purge too. A key is made of a text in which
    # its time stands: it always has the same end.
    PrimaryKeyConstraint("expires_ms", "key"),
    sqlite_with_rowid=False,
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

# What a user's pages keep here: lists of favourites, widgets, preferences. Never workflows.
user_documents = Table(
    "user_documents",
    metadata,
    Column("address", String(42), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("body", Text, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
)

workflow_shares = Table(
    "workflow_shares",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("engine_id", String(64), ForeignKey("engines.id", ondelete="CASCADE"), nullable=False),
    Column("owner_address", String(42), nullable=False),
    Column("preset", String(120), nullable=False),
    Column("level", String(16), nullable=False),
    Column("link_name", String(100), nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    # What the owner signed about this link; the engine verifies it, the gateway only passes it on.
    Column("signed_text", Text),
    Column("signature", String(132)),
    Column("expires_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    CheckConstraint("level IN ('view', 'view-run', 'view-edit-run')", name="level"),
    Index("ix_workflow_shares_owner_address", "owner_address"),
    Index("ix_workflow_shares_engine_id", "engine_id"),
)

claim_requests = Table(
    "claim_requests",
    metadata,
    # SHA-256 of the request's id; the token itself is made when it is fetched and stands nowhere.
    Column("key", LargeBinary(32), primary_key=True),
    Column("engine_id", String(64), ForeignKey("engines.id", ondelete="CASCADE"), nullable=False),
    Column("owner_address", String(42), nullable=False),
    Column("expires_ms", BigInteger, nullable=False, index=True),
)

disabled_components = Table(
    "disabled_components",
    metadata,
    Column("component_id", String(100), primary_key=True),
    Column("reason", String(300), nullable=False),
    Column("by_address", String(42), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

marketplace_items = Table(
    "marketplace_items",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("type", String(32), nullable=False, index=True),
    Column("name", String(120), nullable=False),
    Column("description", String(2000), nullable=False),
    Column("price", String(32), nullable=False),
    Column("author_address", String(42), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("published_ms", BigInteger, nullable=False, index=True),
)

marketplace_versions = Table(
    "marketplace_versions",
    metadata,
    Column("item_id", String(64), ForeignKey("marketplace_items.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("data", Text, nullable=False),
    Column("published_ms", BigInteger, nullable=False),
)

marketplace_votes = Table(
    "marketplace_votes",
    metadata,
    Column("item_id", String(64), ForeignKey("marketplace_items.id", ondelete="CASCADE"), primary_key=True),
    Column("address", String(42), primary_key=True),
    Column("vote", Integer, nullable=False),
    CheckConstraint("vote IN (-1, 1)", name="vote"),
    Index("ix_marketplace_votes_address", "address"),
)
