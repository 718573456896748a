"""The dashboard's summary: the engine's figures beside what only the gateway knows (protocol §1.4)."""

from __future__ import annotations

from shared.contract.base import Auth, Operation
from shared.contract.proxy import LiveStats, RunCounts, SystemOverview, UsageCount


class DashboardSummary(LiveStats):
    """The figures of the caller's engine; zeroes and ``system_overview.status`` ``error`` where it does not answer."""

    total_engines: int
    total_shared_with_me: int


def empty_stats() -> LiveStats:
    """Return the figures of an engine that does not answer."""
    overview = SystemOverview(
        kernel_version="",
        is_busy=False,
        modules=0,
        plugins=0,
        widgets=0,
        triggers=0,
        presets=0,
        status="error",
    )
    return LiveStats(
        active_jobs=[],
        execution_stats_24h=RunCounts(success=0, failed=0),
        top_failing_presets=[],
        top_slowest_presets=[],
        recent_activity=[],
        usage_stats=UsageCount(used=0),
        system_overview=overview,
    )


DASHBOARD = Operation(
    "dashboard_summary", "GET", "/dashboard/summary", Auth.WALLET, "The figures of the dashboard", DashboardSummary,
    "dashboard",
)  # fmt: skip
