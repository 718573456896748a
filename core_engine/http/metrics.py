"""The engine's state as Prometheus metrics, read at the moment of the scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from core_engine.http.status import StatusSource


class StatusCollector(Collector):
    """Turns the engine's status into gauges."""

    def __init__(self, source: StatusSource) -> None:
        self._source = source

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield one gauge per figure."""
        status = self._source()
        figures = {
            "flowork_engine_up": ("1 while the engine serves", 1.0),
            "flowork_engine_busy": ("1 while a step runs", float(status.busy)),
            "flowork_engine_open_runs": ("Unfinished runs", float(status.open_runs)),
            "flowork_engine_connections": ("Open raw WebSocket connections", float(status.connections)),
            "flowork_engine_link_up": ("1 while connected to the gateway", float(status.link == "connected")),
            "flowork_engine_uptime_seconds": ("Seconds since the start", status.uptime_seconds),
        }
        for name, (text, value) in figures.items():
            yield GaugeMetricFamily(name, text, value=value)


Figures = Callable[[], Iterable[tuple[str, int]]]
"""Gives totals by name."""


class TriggerCollector(Collector):
    """Turns what became of the triggers' events into one counter."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    @override
    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counter."""
        family = CounterMetricFamily(
            "flowork_engine_trigger_events",
            "Events of trigger rules by what became of them",
            labels=["outcome"],
        )
        for name, value in self._figures():
            family.add_metric([name], value)
        yield family


class Metrics:
    """The registry of one engine."""

    def __init__(self, source: StatusSource, triggers: Figures = tuple) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(StatusCollector(source))
        self._registry.register(TriggerCollector(triggers))
        ProcessCollector(registry=self._registry)

    def exposition(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self._registry)
