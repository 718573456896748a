"""The engine's state as Prometheus metrics, read at the moment of the scrape."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from core_engine.http.status import EngineStatus

Figures = Callable[[], Iterable[tuple[str, int]]]
"""Gives figures by name."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the state is read: the engine, its queues, triggers' events, folder and tasks, and its steps at workers."""

    status: Callable[[], EngineStatus]
    parked_runs: Callable[[], int]
    running_steps: Callable[[], int]
    pages: Callable[[], int]
    queues: Figures
    triggers: Figures
    folder: Path
    tasks: Callable[[], int]
    workers: Figures = tuple


class StateCollector(Collector):
    """Turns the engine's state into metrics. All names begin with ``flowork_engine_``."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield one family per figure."""
        status = self._sources.status()
        yield _labelled(
            GaugeMetricFamily("flowork_engine_info", "Always 1", labels=["version", "isolation"]),
            [((status.version, status.isolation), 1)],
        )
        for name, text, value in self._figures(status):
            yield GaugeMetricFamily(f"flowork_engine_{name}", text, value=value)
        queues = GaugeMetricFamily(
            "flowork_engine_queue",
            "Entries that wait: runs for a free step, writes for the disk",
            labels=["queue"],
        )
        yield _labelled(queues, [((name,), value) for name, value in self._sources.queues()])
        steps = GaugeMetricFamily(
            "flowork_engine_worker_steps",
            "Steps given to worker processes: waiting, running",
            labels=["state"],
        )
        yield _labelled(steps, [((name,), value) for name, value in self._sources.workers()])
        events = CounterMetricFamily(
            "flowork_engine_trigger_events",
            "Events of trigger rules by what became of them",
            labels=["outcome"],
        )
        yield _labelled(events, [((name,), value) for name, value in self._sources.triggers()])

    def _figures(self, status: EngineStatus) -> Iterator[tuple[str, str, float]]:
        sources = self._sources
        disk = shutil.disk_usage(sources.folder)
        yield "up", "1 while the engine serves", 1.0
        yield "busy", "1 while a step runs", float(status.busy)
        yield "open_runs", "Unfinished runs", status.open_runs
        yield "parked_runs", "Unfinished runs that only wait, outside of memory", sources.parked_runs()
        yield "running_steps", "Steps that run now", sources.running_steps()
        yield "tasks", "Tasks of the event loop", sources.tasks()
        yield "connections", "Open raw WebSocket connections", status.connections
        yield "pages", "Open pages behind the gateway", sources.pages()
        yield "link_up", "1 while connected to the gateway", float(status.link == "connected")
        yield "owned", "1 once the engine has an owner", float(status.owner_pinned)
        yield "uptime_seconds", "Seconds since the start", status.uptime_seconds
        yield "disk_free_bytes", "Free space where the engine's data is", disk.free
        yield "disk_size_bytes", "Size of the disk where the engine's data is", disk.total


def _labelled(family: Metric, samples: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    for labels, value in samples:
        family.add_metric(labels, value)  # type: ignore[attr-defined] # both families have it
    return family
