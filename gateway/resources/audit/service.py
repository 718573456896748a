"""Reading the audit log: one's own events, or all for administrators."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from gateway.auth.admins import Admins
from gateway.db.database import Database
from gateway.resources.audit import queries
from shared.clock import iso
from shared.contract.audit import AuditEvent, AuditPage, AuditQuery

BATCH = 1000


class AuditLog:
    """The use cases of the audit log."""

    def __init__(self, database: Database, admins: Admins) -> None:
        self._database = database
        self._admins = admins

    def page(self, caller: str, query: AuditQuery) -> AuditPage:
        """Return events, newest first."""
        with self._database.read() as connection:
            rows = queries.newest(connection, self._view(caller), query.before, query.limit + 1)
        shown = rows[: query.limit]
        events = [AuditEvent(at=iso(row["at_ms"]), **row) for row in shown]
        return AuditPage(events=events, next=shown[-1]["seq"] if len(rows) > len(shown) else None)

    def export(self, caller: str) -> Iterator[bytes]:
        """Yield the lines of an export (see `shared.signing.audit_chain`), as of now."""
        view, digest, count = self._view(caller), hashlib.sha256(), 0
        with self._database.read() as connection:
            ends = queries.ends(connection)
        last = (ends.purged_seq, ends.purged_hash)
        start = {"type": "start", "scope": "all" if view is None else "own"}
        first = _line(start | {"seq": last[0], "hash": last[1]})
        digest.update(first)
        yield first
        while True:
            with self._database.read() as connection:
                rows = queries.between(connection, view, last[0], ends.seq, BATCH)
            for row in rows:
                line = _line({"type": "entry", **row})
                digest.update(line)
                yield line
            count += len(rows)
            if len(rows) < BATCH:
                last = (rows[-1]["seq"], rows[-1]["hash"]) if rows else last
                break
            last = (rows[-1]["seq"], rows[-1]["hash"])
        # Of the whole log the head is told as it is kept, so that an end which was cut off shows.
        seq, head = (ends.seq, ends.hash) if view is None else last
        yield _line({"type": "head", "count": count, "seq": seq, "hash": head, "digest": digest.hexdigest()})

    def _view(self, caller: str) -> str | None:
        return None if self._admins.include(caller) else caller


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
