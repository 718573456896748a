"""Everything that an engine tells Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.registry import Collector

from core_engine.telemetry.counts import Counts
from core_engine.telemetry.gauges import Sources, StateCollector


class Metrics:
    """The registry of one engine: ``counts`` grow where the work is done, the state is read at each scrape."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.counts = Counts(self._registry)
        ProcessCollector(registry=self._registry)

    def observe(self, sources: Sources) -> None:
        """Show the state too, from now on."""
        self._registry.register(StateCollector(sources))

    def show(self, collector: Collector) -> None:
        """Show what a collector collects too, from now on."""
        self._registry.register(collector)

    def exposition(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self._registry)
