"""The REST shape of the audit log."""

from __future__ import annotations

from flask import Response

from gateway.context import Context
from gateway.resources.audit.service import AuditLog
from gateway.web.routing import route
from shared.contract.audit import EXPORT_AUDIT, LIST_AUDIT, AuditPage, AuditQuery


class Routes:
    """Answers the operations of the audit log."""

    def __init__(self, context: Context) -> None:
        self._audit = AuditLog(context.database, context.admins)

    @route(LIST_AUDIT)
    def list_audit(self, caller: str, query: AuditQuery) -> AuditPage:
        """Show a page of events."""
        return self._audit.page(caller, query)

    @route(EXPORT_AUDIT)
    def export_audit(self, caller: str) -> Response:
        """Stream the events."""
        response = Response(self._audit.export(caller), content_type=EXPORT_AUDIT.media)
        response.headers["Content-Disposition"] = 'attachment; filename="flowork-audit.ndjson"'
        return response
