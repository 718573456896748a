"""The audit log of security events (protocol addition): who signed in and who changed what."""

from __future__ import annotations

from pydantic import Field

from shared.contract.base import Auth, Incoming, Operation, Outgoing, Rate


class AuditEvent(Outgoing):
    """One event. ``actor`` and, for acts on people, ``subject`` are addresses in lower case; ``at`` is ISO 8601."""

    seq: int
    at: str
    at_ms: int
    actor: str
    action: str
    subject: str
    prev: str
    hash: str


class AuditPage(Outgoing):
    """Events, newest first; ``next`` is the ``before`` of the page that follows, None at the end."""

    events: list[AuditEvent]
    next: int | None


class AuditQuery(Incoming):
    """Which events: those before a number, and how many."""

    before: int | None = Field(default=None, ge=1, le=2**62)
    limit: int = Field(default=50, ge=1, le=200)


LIST_AUDIT = Operation(
    "list_audit", "GET", "/audit", Auth.WALLET,
    "Security events by and about the caller and the caller's engines; admins see all", AuditPage, "audit",
    errors=("INVALID_REQUEST",), query=AuditQuery,
)  # fmt: skip
EXPORT_AUDIT = Operation(
    "export_audit", "GET", "/audit/export", Auth.WALLET,
    "The same events as NDJSON with a head hash; `flowork audit verify` checks it offline", str, "audit",
    media="application/x-ndjson", rate=Rate.STRICT,
)  # fmt: skip
