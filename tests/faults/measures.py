"""Which failures are timed, on which set-up, and in which order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.faults import measuring as inside
from tests.faults import surroundings as around
from tests.faults.measuring import Site


@dataclass(frozen=True)
class Measure:
    """One figure: the row, the set-up that it needs, and the set-up it is shown for."""

    row: str
    setup: str
    take: Callable[[Site], Awaitable[float]]
    shown_as: str


MEASURES = (
    Measure("F01", "embedded", inside.start_unheard, "embedded"),
    Measure("F02", "embedded", inside.start_sent_again, "embedded"),
    Measure("F03", "embedded", inside.killed_engine, "embedded"),
    Measure("F04", "embedded", inside.killed_in_step, "embedded"),
    Measure("F07", "embedded", inside.killed_in_stop, "embedded"),
    Measure("F09", "embedded", inside.refused_start, "embedded"),
    Measure("F10", "embedded", inside.full_disk, "embedded"),
    Measure("F14", "embedded", inside.second_engine, "embedded"),
    Measure("F17", "embedded", inside.stopped_engine, "embedded"),
    Measure("F20", "embedded", around.silent_engine, "any"),
    Measure("F24", "embedded", around.killed_gateway, "any"),
    Measure("F25", "embedded", around.killed_after_change, "any"),
    Measure("F26", "embedded", around.locked_database, "any"),
    Measure("F27", "embedded", around.gateway_away, "any"),
    Measure("F01", "workers", inside.start_unheard, "workers"),
    Measure("F02", "workers", inside.start_sent_again, "workers"),
    Measure("F03", "workers", inside.killed_engine, "workers"),
    Measure("F04", "workers", inside.killed_step, "workers"),
    Measure("F07", "workers", inside.killed_in_stop, "workers"),
    Measure("F14", "workers", inside.second_engine, "workers"),
    Measure("F17", "workers", inside.stopped_engine, "workers"),
    Measure("F36", "workers", inside.killed_worker, "workers"),
    Measure("F33", "workers", around.full_redis, "workers"),
    Measure("F32", "workers", around.redis_away, "workers"),
    Measure("F31", "workers", around.emptied_redis, "workers"),
)
