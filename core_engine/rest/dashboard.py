"""The dashboard's figures (protocol §1.4, live-stats)."""

from __future__ import annotations

import asyncio

from core_engine.commands.command import Rooms
from core_engine.rest.router import answers
from core_engine.storage.statistics import RecentRun, RunFigures, RunStatistics
from shared.clock import Clock, iso
from shared.contract.proxied import LIVE_STATS
from shared.contract.proxy import (
    ActiveJob,
    LiveStats,
    NamedCount,
    RunCounts,
    SlowPreset,
    SystemOverview,
    UsageCount,
)

DAY_MS = 24 * 60 * 60 * 1000
MOST_JOBS = 50
MOST_NAMES = 5
MOST_LINES = 10


class DashboardResource:
    """Answers how the engine is doing."""

    def __init__(self, rooms: Rooms, statistics: RunStatistics, clock: Clock, version: str) -> None:
        self._runs = rooms.runs
        self._registry = rooms.registry
        self._presets = rooms.presets
        self._statistics = statistics
        self._clock = clock
        self._version = version

    @answers(LIVE_STATS)
    async def live_stats(self) -> LiveStats:
        """Count the runs of the last 24 hours, and what there is."""
        now = self._clock.now_ms()
        figures = await asyncio.to_thread(self._statistics.since, now - DAY_MS, MOST_NAMES)
        active = await asyncio.to_thread(self._statistics.active, MOST_JOBS)
        recent = await asyncio.to_thread(self._statistics.recent, MOST_LINES)
        return LiveStats(
            active_jobs=[
                ActiveJob(id=run.id, preset=run.preset, duration_seconds=max(now - run.started_at, 0) / 1000)
                for run in active
            ],
            execution_stats_24h=_counts(figures),
            top_failing_presets=[NamedCount(name=name, count=count) for name, count in figures.failing],
            top_slowest_presets=[
                SlowPreset(name=name, avg_duration_ms=round(ms, 1)) for name, ms in figures.slowest
            ],
            recent_activity=[_sentence(run) for run in recent],
            usage_stats=UsageCount(used=sum(figures.by_status.values())),
            system_overview=await self._overview(),
        )

    async def _overview(self) -> SystemOverview:
        count = {
            kind: len(self._registry.listing(kind)) for kind in ("modules", "plugins", "widgets", "triggers")
        }
        presets = len(await self._presets.listing())
        return SystemOverview(kernel_version=self._version, is_busy=self._runs.busy, presets=presets, **count)


def _counts(figures: RunFigures) -> RunCounts:
    by_status = figures.by_status
    return RunCounts(success=by_status.get("SUCCEEDED", 0), failed=by_status.get("FAILED", 0))


def _sentence(run: RecentRun) -> str:
    name = run.preset or "An unsaved workflow"
    if run.finished_at is None:
        return f"{name}: {run.status.lower()}"
    return f"{name}: {run.status.lower()} at {iso(run.finished_at)}"
