"""What may run beside what: the events of a rule with the same key stand in one lane and start as its policy says."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from core_engine.triggers.rules import Fire
from shared.contract.flow_trigger import TriggerPolicy


class Outcome(StrEnum):
    """What became of an event."""

    STARTED = "started"
    WAITING = "waiting"
    DROPPED = "dropped"
    REFUSED = "refused"
    DUPLICATE = "duplicate"


class Verdict(NamedTuple):
    """The outcome, and the run that starts or waits; None where there is none."""

    outcome: Outcome
    run_id: str | None


@dataclass(slots=True)
class Lane:
    """The events of one rule and key. ``retry_at`` is when to try again after the engine was too busy (Unix ms)."""

    rule: str
    key: str
    active: dict[str, None] = field(default_factory=dict)
    waiting: deque[Fire] = field(default_factory=deque)
    retry_at: int = 0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def empty(self) -> bool:
        """Whether nothing runs or waits here."""
        return not (self.active or self.waiting)

    def next_turn(self, policy: TriggerPolicy) -> int | None:
        """Return when the first waiting event may start (Unix ms); None while only the end of a run can help."""
        if not self.waiting or not self.has_room(policy):
            return None
        return max(self.waiting[0].due, self.retry_at)

    def has_room(self, policy: TriggerPolicy) -> bool:
        """Whether one more run may start now."""
        match policy.kind:
            case "parallel":
                return len(self.active) < policy.limit
            case "queue" | "single":
                return not self.active
            case _:  # restart makes room, debounce needs none
                return True


def judge(policy: TriggerPolicy, lane: Lane, waiting_of_rule: int) -> Outcome | None:
    """Return why an event is not taken; None where it is."""
    if policy.kind == "single" and not lane.empty:
        return Outcome.DROPPED
    replaces = policy.kind in {"restart", "debounce"} and lane.waiting
    if waiting_of_rule >= policy.queue_limit and not replaces:
        return Outcome.REFUSED
    return None


def superseded(policy: TriggerPolicy, lane: Lane) -> list[Fire]:
    """Return the waiting events that a new one takes the place of."""
    return list(lane.waiting) if policy.kind in {"restart", "debounce"} else []
