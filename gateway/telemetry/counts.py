"""The gateway's own figures, counted where the work is done. Every label has a small, fixed set of values."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

DONE = "ok"
"""The outcome of what was done; else it is the value of an `shared.errors.ErrorCode`."""

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)
VERIFY_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1)
NAMESPACES = {"/gui-socket": "gui", "/engine-socket": "engine"}


class Counts:
    """Counts requests, sockets and relayed messages. Safe to use from several threads.

    With several processes each keeps its figures in a file (see `gateway.telemetry.shared_files`); open sockets are
    then added up over the processes that live.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        keep: Any = {"registry": registry}
        self._requests = Counter(
            "flowork_gateway_requests",
            "HTTP requests by operation (page: a file of the web page; none: no such path) and status",
            ["operation", "status"],
            **keep,
        )
        self._request_seconds = Histogram(
            "flowork_gateway_request_duration_seconds",
            "Time that an HTTP request took, by operation",
            ["operation"],
            buckets=REQUEST_BUCKETS,
            **keep,
        )
        self._verify_seconds = Histogram(
            "flowork_gateway_verify_duration_seconds",
            "Time that the check of who calls took, by kind of proof and outcome",
            ["kind", "outcome"],
            buckets=VERIFY_BUCKETS,
            **keep,
        )
        self._sockets = Gauge(
            "flowork_gateway_sockets",
            "Open Socket.IO connections: pages (gui) and engines",
            ["namespace"],
            multiprocess_mode="livesum",
            **keep,
        )
        self._connects = Counter(
            "flowork_gateway_socket_connects",
            "Attempts to open a Socket.IO connection, by outcome",
            ["namespace", "outcome"],
            **keep,
        )
        self._events = Counter(
            "flowork_gateway_socket_events",
            "Events that came over Socket.IO, by outcome",
            ["namespace", "outcome"],
            **keep,
        )
        self._relayed = Counter(
            "flowork_gateway_relay_messages",
            "Messages passed on: to_engine (commands) and to_page (events)",
            ["direction"],
            **keep,
        )
        for namespace in NAMESPACES.values():
            self._sockets.labels(namespace)
        for direction in ("to_engine", "to_page"):
            self._relayed.labels(direction)

    def requested(self, operation: str, status: int, seconds: float) -> None:
        """Note an answered HTTP request."""
        self._requests.labels(operation, str(status)).inc()
        self._request_seconds.labels(operation).observe(seconds)

    def verified(self, kind: str, outcome: str, seconds: float) -> None:
        """Note the check of a caller's proof."""
        self._verify_seconds.labels(kind, outcome).observe(seconds)

    def connecting(self, namespace: str, outcome: str) -> None:
        """Note an attempt to connect to a namespace."""
        self._connects.labels(NAMESPACES[namespace], outcome).inc()

    def sockets(self, namespace: str, change: int) -> None:
        """Note that a connection stands (1) or is gone (-1)."""
        self._sockets.labels(NAMESPACES[namespace]).inc(change)

    def received(self, namespace: str, outcome: str) -> None:
        """Note an event that a client sent."""
        self._events.labels(NAMESPACES[namespace], outcome).inc()

    def relayed(self, direction: str, count: int = 1) -> None:
        """Note messages that were passed on, ``to_engine`` or ``to_page``."""
        self._relayed.labels(direction).inc(count)
