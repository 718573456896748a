"""The audit log: who signed in and who changed what, each entry chained to the one before by its hash."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, select, update

from gateway.db.tables import audit_head, audit_log
from shared.signing.audit_chain import entry_hash

KEEP_MS = 365 * 24 * 60 * 60 * 1000


def record(connection: Connection, actor: str, action: str, subject: str, now_ms: int) -> None:
    """Enter one act, in the transaction that performs it; writers of other processes wait for its end."""
    head = connection.execute(select(audit_head.c.seq, audit_head.c.hash).with_for_update()).one()
    entry = {"seq": head.seq + 1, "at_ms": now_ms, "actor": actor, "action": action, "subject": subject}
    digest = entry_hash(head.hash, entry)
    connection.execute(insert(audit_log).values(**entry, prev=head.hash, hash=digest))
    connection.execute(update(audit_head).values(seq=entry["seq"], hash=digest))


def recorded(connection: Connection, actor: str, action: str, subject: str, after_ms: int) -> bool:
    """Tell whether such an act was entered after a time."""
    log = audit_log.c
    query = select(log.seq).where(
        log.actor == actor, log.action == action, log.subject == subject, log.at_ms > after_ms
    )
    return connection.execute(query.limit(1)).first() is not None


def purge(connection: Connection, now_ms: int) -> None:
    """Forget the entries up to the last that is older than a year; the chain goes on from where they ended."""
    oldest = connection.execute(select(audit_log.c.at_ms).order_by(audit_log.c.seq).limit(1)).scalar()
    if oldest is None or oldest >= now_ms - KEEP_MS:
        return
    connection.execute(select(audit_head.c.seq).with_for_update()).one()
    kept = select(func.min(audit_log.c.seq)).where(audit_log.c.at_ms >= now_ms - KEEP_MS)
    first = connection.execute(kept).scalar()
    old = audit_log.c.seq < first if first is not None else audit_log.c.seq > 0
    query = select(audit_log.c.seq, audit_log.c.hash).where(old).order_by(audit_log.c.seq.desc())
    last = connection.execute(query.limit(1)).first()
    if last is None:
        return
    connection.execute(delete(audit_log).where(old))
    connection.execute(update(audit_head).values(purged_seq=last.seq, purged_hash=last.hash))
