"""What the steps of a run used that costs: the event, and the sums in a run's details."""

from __future__ import annotations

from pydantic import Field

from shared.contract.base import Audience, Event, JobId, Outgoing


class UsageTotals(Outgoing):
    """A sum. ``cost`` holds decimal numbers as texts by currency; ``estimated`` when some tokens were not counted."""

    calls: int
    tokens_in: int
    tokens_out: int
    cost: dict[str, str] = Field(default_factory=dict)
    estimated: bool = False


class NodeUsage(Event, name="NODE_USAGE", relay="NODE_USAGE", audience=Audience.RUN):
    """A node used something that costs. ``cost`` is a decimal number as text, ``timestamp`` Unix time in seconds."""

    type: str = "NODE_USAGE"
    job_id: JobId
    seq: int
    node_id: str
    timestamp: float
    attempt: int
    kind: str
    model: str
    tokens_in: int
    tokens_out: int
    cost: str
    currency: str
    estimated: bool = False
