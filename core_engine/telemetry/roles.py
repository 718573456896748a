"""Which of the processes of an engine this one is, and what its clients' messages do, as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

STANDBY, FRONT, LEADER = "standby", "front", "leader"


class OwnFront(Protocol):
    """What takes the clients of this process; see `core_engine.fronts.front.Front`."""

    @property
    def linked(self) -> bool:
        """Whether messages reach the process that works."""
        ...

    def figures(self) -> dict[str, int]:
        """Return ``connections``, ``forwarded`` and ``delivered`` messages, and those ``held``."""
        ...


class Seat:
    """What a process is at the moment: one that stands by, a front of another one, or the one that works."""

    def __init__(self, front: OwnFront | None) -> None:
        self.front = front
        self.role = STANDBY if front is None else FRONT

    @property
    def ready(self) -> bool:
        """Whether clients of this process are served."""
        return self.role == LEADER or (self.front is not None and self.front.linked)


class RoleCollector(Collector):
    """Shows the seat of this process and the figures of its front."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield one family per figure."""
        seat = self._seat
        roles = GaugeMetricFamily("flowork_engine_role", "1 for what this process is", labels=["role"])
        for role in (STANDBY, FRONT, LEADER):
            roles.add_metric((role,), float(seat.role == role))
        yield roles
        if seat.front is None:
            return
        figures = seat.front.figures()
        yield GaugeMetricFamily(
            "flowork_engine_front_linked",
            "1 while messages of this process's clients reach the one that works",
            value=float(seat.front.linked),
        )
        yield GaugeMetricFamily(
            "flowork_engine_front_connections",
            "Open raw WebSocket connections of this process",
            value=figures["connections"],
        )
        yield GaugeMetricFamily(
            "flowork_engine_front_held",
            "Messages that wait for a process that works",
            value=figures["held"],
        )
        frames = CounterMetricFamily(
            "flowork_engine_front_messages",
            "Messages of clients passed on to the process that works, and frames given to clients",
            labels=["direction"],
        )
        frames.add_metric(("in",), figures["forwarded"])
        frames.add_metric(("out",), figures["delivered"])
        yield frames
