"""Breakpoints: data stops at connections of one run until somebody lets it go on; ours, not of the protocol."""

from __future__ import annotations

from pydantic import Field

from shared.contract.base import Audience, Command, Event, JobId, Role
from shared.contract.pin import MAX_BREAKPOINTS
from shared.contract.run import RunDetails


class BreakpointHit(Event, name="BREAKPOINT_HIT", relay="BREAKPOINT_HIT", audience=Audience.RUN):
    """Data waits at a connection. ``preview`` is the beginning of it as JSON text, secret values masked."""

    type: str = "BREAKPOINT_HIT"
    job_id: JobId
    seq: int
    connection_id: str
    source_node_id: str
    target_node_id: str
    preview: str
    timestamp: float


class SetBreakpoints(Command, name="set_breakpoints", reply=RunDetails, role=Role.RUNNER):
    """Have data of a run stop at these connections and at no others; ``job_id`` is needed.

    Only what comes from here on stops. What waits already goes on waiting.
    """

    connections: list[str] = Field(max_length=MAX_BREAKPOINTS)


class ContinueRun(Command, name="continue_run", reply=RunDetails, role=Role.RUNNER):
    """Let data go on along ``connection_id``, or along all connections at which it waits."""

    connection_id: str | None = Field(default=None, min_length=1, max_length=200)


class StepRun(Command, name="step_run", reply=RunDetails, role=Role.RUNNER):
    """Let all that waits go on to the next connections, where it stops again."""
