"""What is asked of the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, or_, select, true

from gateway.db.tables import audit_head, audit_log, engines


@dataclass(frozen=True, slots=True)
class ChainEnds:
    """Where the chain starts (what was forgotten before) and where it ends: numbers and hashes."""

    purged_seq: int
    purged_hash: str
    seq: int
    hash: str


_COLUMNS = tuple(audit_log.c[name] for name in ("seq", "at_ms", "actor", "action", "subject", "prev", "hash"))


def ends(connection: Connection) -> ChainEnds:
    """Return the two ends of the chain."""
    columns = (audit_head.c.purged_seq, audit_head.c.purged_hash, audit_head.c.seq, audit_head.c.hash)
    return ChainEnds(*connection.execute(select(*columns)).one())


def newest(
    connection: Connection, address: str | None, before: int | None, limit: int
) -> Sequence[RowMapping]:
    """Return entries, newest first; those that concern an address, or all where it is None."""
    query = select(*_COLUMNS).where(_concerns(address))
    if before is not None:
        query = query.where(audit_log.c.seq < before)
    return connection.execute(query.order_by(audit_log.c.seq.desc()).limit(limit)).mappings().all()


def between(
    connection: Connection, address: str | None, after: int, last: int, limit: int
) -> Sequence[RowMapping]:
    """Return entries, oldest first, with numbers above ``after`` up to ``last``."""
    query = select(*_COLUMNS).where(_concerns(address), audit_log.c.seq > after, audit_log.c.seq <= last)
    return connection.execute(query.order_by(audit_log.c.seq).limit(limit)).mappings().all()


def _concerns(address: str | None) -> ColumnElement[Any]:
    if address is None:
        return true()
    own = select(engines.c.id).where(engines.c.owner_address == address)
    return or_(audit_log.c.actor == address, audit_log.c.subject == address, audit_log.c.subject.in_(own))
