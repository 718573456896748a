"""The gateway's own figures, counted where the work is done. Every label has a small, fixed set of values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from gateway.telemetry import shared_files
from gateway.telemetry.gathered import Durations, Gathered

DONE = "ok"
"""The outcome of what was done; else it is the value of an `shared.errors.ErrorCode`."""

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)
VERIFY_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1)
MOST_WAITING = 200
NAMESPACES = {"/gui-socket": "gui", "/engine-socket": "engine"}


class _Children(dict[tuple[str, ...], Any]):
    """What is counted by the values of its labels, each made (by the library: looked up) once."""

    def __init__(self, made: Callable[..., Any], *shown_at_once: str) -> None:
        super().__init__({(label,): made(label) for label in shown_at_once})
        self._made = made

    def __missing__(self, labels: tuple[str, ...]) -> Any:
        return self.setdefault(labels, self._made(*labels))


class Counts(Collector):
    """Counts requests, sockets and relayed messages. Safe to use from several threads.

    With several processes each keeps its figures in a file (see `gateway.telemetry.shared_files`); open sockets are
    then added up over the processes that live.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        # Who answers for several processes reads their files alone.
        self._most_waiting = 1 if shared_files.are_used() else MOST_WAITING
        self._answered, self._proven = _Children(self._answers), _Children(self._proofs)
        registry.register(self)  # before the figures, which `collect` makes complete

        def made(
            kind: Any, name: str, text: str, labels: list[str], *shown: str, **options: Any
        ) -> _Children:
            metric = kind(f"flowork_gateway_{name}", text, labels, registry=registry, **options)
            return _Children(metric.labels, *shown)

        self._requests = made(
            Counter,
            "requests",
            "HTTP requests by operation (page: a file of the web page; none: no such path) and status",
            ["operation", "status"],
        )
        self._request_seconds = made(
            Durations,
            "request_duration_seconds",
            "Time that an HTTP request took, by operation",
            ["operation"],
            buckets=REQUEST_BUCKETS,
        )
        text = "Time that the check of who calls took, by kind of proof and outcome"
        labels = ["kind", "outcome"]
        self._verify_seconds = made(
            Durations, "verify_duration_seconds", text, labels, buckets=VERIFY_BUCKETS
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

    @override
    def collect(self) -> Iterator[Metric]:
        """Have what waits counted, and yield nothing: the figures are the library's."""
        for gathered in (*self._answered.values(), *self._proven.values()):
            gathered.hand_over()
        return iter(())

    def requested(self, operation: str, status: int, seconds: float) -> None:
        """Note an answered HTTP request."""
        self._answered[operation, str(status)].add(seconds)

    def verified(self, kind: str, outcome: str, seconds: float) -> None:
        """Note the check of a caller's proof."""
        self._proven[kind, outcome].add(seconds)

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

    def _answers(self, operation: str, status: str) -> Gathered:
        number, durations = self._requests[operation, status], self._request_seconds[operation,]

        def count(seconds: Sequence[float]) -> None:
            number.inc(len(seconds))

        return Gathered(self._most_waiting, count, durations.observe_all)

    def _proofs(self, kind: str, outcome: str) -> Gathered:
        return Gathered(self._most_waiting, self._verify_seconds[kind, outcome].observe_all)
