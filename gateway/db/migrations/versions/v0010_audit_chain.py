"""The audit log becomes a hash chain; entries that are there already are chained in their order."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from shared.signing.audit_chain import GENESIS, entry_hash

revision = "0010"
down_revision = "0003"
branch_labels = None
depends_on = None

_LOG = sa.table(
    "audit_log",
    sa.column("id", sa.BigInteger),
    *(sa.column(name, sa.BigInteger) for name in ("seq", "at_ms")),
    *(sa.column(name, sa.String) for name in ("actor", "action", "subject", "prev", "hash")),
)
_HEAD = sa.table(
    "audit_head",
    *(sa.column(name, sa.BigInteger) for name in ("id", "seq", "purged_seq")),
    *(sa.column(name, sa.String) for name in ("hash", "purged_hash")),
)


def upgrade() -> None:
    """Add the columns of the chain and the row that holds its head."""
    op.add_column("audit_log", sa.Column("seq", sa.BigInteger))
    op.add_column("audit_log", sa.Column("prev", sa.String(64)))
    op.add_column("audit_log", sa.Column("hash", sa.String(64)))
    op.create_index("ix_audit_log_seq", "audit_log", ["seq"], unique=True)
    op.create_index("ix_audit_log_actor", "audit_log", ["actor"])
    op.create_index("ix_audit_log_subject", "audit_log", ["subject"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("purged_seq", sa.BigInteger, nullable=False),
        sa.Column("purged_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    seq, digest = (0, GENESIS) if op.get_context().as_sql else _chain(op.get_bind())
    head = {"id": 1, "seq": seq, "hash": digest, "purged_seq": 0, "purged_hash": GENESIS}
    op.execute(sa.insert(_HEAD).values(**head))


def _chain(connection: sa.Connection) -> tuple[int, str]:
    seq, digest = 0, GENESIS
    for row in connection.execute(sa.select(_LOG).order_by(_LOG.c.id)).mappings().all():
        seq, previous = seq + 1, digest
        digest = entry_hash(previous, {**row, "seq": seq})
        values = {"seq": seq, "prev": previous, "hash": digest}
        connection.execute(sa.update(_LOG).where(_LOG.c.id == row["id"]).values(**values))
    return seq, digest
