"""The REST shape of the dashboard (protocol §1.4)."""

from __future__ import annotations

from flask import Request

from gateway.context import Context
from gateway.realtime.engine_calls import EngineCalls
from gateway.realtime.engine_choice import EngineChoice
from gateway.resources.dashboard.service import Dashboard
from gateway.web.routing import route
from shared.contract.dashboard import DASHBOARD, DashboardSummary


class Routes:
    """Answers the dashboard."""

    def __init__(self, context: Context) -> None:
        calls = EngineCalls(context.links, EngineChoice(context.database, context.presence))
        self._dashboard = Dashboard(context.database, calls)

    @route(DASHBOARD)
    def summary(self, caller: str, request: Request) -> DashboardSummary:
        """Return the figures."""
        return self._dashboard.summary(caller, request.headers.get("X-Flowork-Engine-ID"))
