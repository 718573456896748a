"""The gateway's own figures, counted where the work is done. Every label has a small, fixed set of values."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

DONE = "ok"
"""The outcome of what was done; else it is the value of an `shared.errors.ErrorCode`."""

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)
VERIFY_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1)
NAMESPACES = {"/gui-socket": "gui", "/engine-socket": "engine"}


class _Children(dict[tuple[str, ...], Any]):
    """The parts of a metric by the values of its labels, each looked up in the library once."""

    def __init__(self, metric: Any, *shown_at_once: str) -> None:
        super().__init__({(label,): metric.labels(label) for label in shown_at_once})
        self._metric = metric

    def __missing__(self, labels: tuple[str, ...]) -> Any:
        child = self[labels] = self._metric.labels(*labels)
        return child


class Counts:
    """Counts requests, sockets and relayed messages. Safe to use from several threads.

    With several processes each keeps its figures in a file (see `gateway.telemetry.shared_files`); open sockets are
    then added up over the processes that live.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        def made(
            kind: Any, name: str, text: str, labels: list[str], *shown: str, **options: Any
        ) -> _Children:
            metric = kind(f"flowork_gateway_{name}", text, labels, registry=registry, **options)
            return _Children(metric, *shown)

        self._requests = made(
            Counter,
            "requests",
            "HTTP requests by operation (page: a file of the web page; none: no such path) and status",
            ["operation", "status"],
        )
        self._request_seconds = made(
            Histogram,
            "request_duration_seconds",
            "Time that an HTTP request took, by operation",
            ["operation"],
            buckets=REQUEST_BUCKETS,
        )
        text = "Time that the check of who calls took, by kind of proof and outcome"
        labels = ["kind", "outcome"]
        self._verify_seconds = made(
            Histogram, "verify_duration_seconds", text, labels, buckets=VERIFY_BUCKETS
        )
        text = "Open Socket.IO connections: pages (gui) and engines"
        self._sockets = made(
            Gauge, "sockets", text, ["namespace"], *NAMESPACES.values(), multiprocess_mode="livesum"
        )
        labels = ["namespace", "outcome"]
        text = "Attempts to open a Socket.IO connection, by outcome"
        self._connects = made(Counter, "socket_connects", text, labels)
        self._events = made(Counter, "socket_events", "Events that came over Socket.IO, by outcome", labels)
        text = "Messages passed on: to_engine (commands) and to_page (events)"
        self._relayed = made(Counter, "relay_messages", text, ["direction"], "to_engine", "to_page")

    def requested(self, operation: str, status: int, seconds: float) -> None:
        """Note an answered HTTP request."""
        self._requests[operation, str(status)].inc()
        self._request_seconds[operation,].observe(seconds)

    def verified(self, kind: str, outcome: str, seconds: float) -> None:
        """Note the check of a caller's proof."""
        self._verify_seconds[kind, outcome].observe(seconds)

    def connecting(self, namespace: str, outcome: str) -> None:
        """Note an attempt to connect to a namespace."""
        self._connects[NAMESPACES[namespace], outcome].inc()

    def sockets(self, namespace: str, change: int) -> None:
        """Note that a connection stands (1) or is gone (-1)."""
        self._sockets[NAMESPACES[namespace],].inc(change)

    def received(self, namespace: str, outcome: str) -> None:
        """Note an event that a client sent."""
        self._events[NAMESPACES[namespace], outcome].inc()

    def relayed(self, direction: str, count: int = 1) -> None:
        """Note messages that were passed on, ``to_engine`` or ``to_page``."""
        self._relayed[direction,].inc(count)
