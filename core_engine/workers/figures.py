"""A worker's figures for Prometheus. Every label has a small, fixed set of values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import get_args

import psutil
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from core_engine.workers.notes import LOSSES, Became, Note

STEP_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)
WAIT_BUCKETS = (0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 1800)


class Figures(Collector):
    """Counts what the pool notes; ``ready`` tells whether the worker takes steps."""

    def __init__(self, version: str, processes: int, ready: Callable[[], bool]) -> None:
        self._facts = (version, processes)
        self._ready = ready
        self._held: set[int] = set()
        self._registry = registry = CollectorRegistry()
        self._steps = Counter(
            "flowork_worker_steps", "Tickets by what became of them", ["outcome"], registry=registry
        )
        self._seconds = Histogram(
            "flowork_worker_step_duration_seconds",
            "How long steps were held, from taking them to their end",
            ["outcome"],
            buckets=STEP_BUCKETS,
            registry=registry,
        )
        self._waited = Histogram(
            "flowork_worker_queue_wait_seconds",
            "How long steps had waited for a worker when this one took them",
            buckets=WAIT_BUCKETS,
            registry=registry,
        )
        self._losses = Counter(
            "flowork_worker_lease_losses", "Steps whose lease was gone before their end", registry=registry
        )
        self._restarts = Counter(
            "flowork_worker_restarts",
            "How often the listening process ended or hung and was started again",
            registry=registry,
        )
        for outcome in get_args(Became):
            self._steps.labels(outcome)
        registry.register(self)
        ProcessCollector(registry=registry)

    def hear(self, note: Note) -> None:
        """Count a note."""
        if note.became is None:
            self._held.add(note.pid)
            self._waited.observe(note.waited)
            return
        self._steps.labels(note.became).inc()
        if note.pid in self._held:
            self._held.discard(note.pid)
            self._seconds.labels(note.became).observe(note.seconds)
        if note.became in LOSSES:
            self._losses.inc()

    def restarted(self) -> None:
        """Note that the listening process is started again."""
        self._restarts.inc()
        self._held.clear()

    def exposition(self) -> bytes:
        """Return all figures in the Prometheus text format."""
        return generate_latest(self._registry)

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield what is looked up at the scrape."""
        version, processes = self._facts
        info = GaugeMetricFamily("flowork_worker_info", "Always 1", labels=["version"])
        info.add_metric([version], 1)
        yield info
        family, memory = _family()
        self._held &= family
        yield _gauge("up", "1 while the worker takes steps", self._ready())
        yield _gauge("processes", "Steps that can run at a time", processes)
        yield _gauge("steps_held", "Steps that run now", len(self._held))
        yield _gauge("memory_bytes", "Memory of all its processes, those of the steps included", memory)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"flowork_worker_{name}", text, value=float(value))


def _family() -> tuple[set[int], int]:
    """Return the processes of this worker, and the memory that they take."""
    found, memory = set(), 0
    own = psutil.Process()
    for member in (own, *own.children(recursive=True)):
        try:
            memory += member.memory_info().rss
            found.add(member.pid)
        except psutil.Error:  # it has just ended
            continue
    return found, memory
