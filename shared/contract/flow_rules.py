"""How a workflow flows beyond its connections: joins, rounds, deadlines, alarms and what follows a failure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from shared.contract.base import Audience, Event, Incoming, JobId

MOST_ROUNDS = 10_000
LONGEST_SECONDS = 366 * 86_400

Seconds = Annotated[float, Field(gt=0, le=LONGEST_SECONDS)]
PresetName = Annotated[str, Field(min_length=1, max_length=200)]
StepQueue = Literal["default", "heavy", "docker", "engine"]
WorkerLabel = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class JoinRule(Incoming):
    """When a node with several inputs runs.

    ``all``: when each input has brought data or never will. ``any``: at the first data. ``first``: as soon as
    ``count`` inputs have brought data, or with fewer when no more can come. The time-out counts from the first data:
    then the node runs with what is there, or fails with JOIN_TIMEOUT. With ``run: always`` the node also runs when no
    input brings data.
    """

    mode: Literal["all", "any", "first"] = "all"
    count: int = Field(default=1, ge=1, le=50_000)
    timeout_seconds: Seconds | None = None
    on_timeout: Literal["continue", "fail"] = "continue"
    run: Literal["live", "always"] = "live"


class FlowSettings(Incoming):
    """The member ``settings.flow`` of a workflow; times count from the start of the run unless said otherwise.

    ``finally_seconds`` is how long the nodes marked ``finally`` may take after a stop or a missed deadline;
    ``stuck_after_seconds`` is how long nothing may happen while no step waits. ``queue`` and ``worker`` are those of
    the nodes that name none.
    """

    finally_seconds: Seconds = 30.0
    deadline_seconds: Seconds | None = None
    alarm_after_seconds: Seconds | None = None
    stuck_after_seconds: Seconds | None = None
    alarm_preset: PresetName | None = None
    error_preset: PresetName | None = None
    queue: StepQueue | None = None
    worker: WorkerLabel | None = None


class GlobalLoop(Incoming):
    """The member ``global_loop_config`` of a workflow (protocol §5.1); delays are seconds.

    The names in camel case are those of the wire.
    """

    iterations: int = Field(default=1, ge=1, le=MOST_ROUNDS)
    delayed: bool = Field(default=False, validation_alias="isDelayEnabled")
    delay_type: Literal["static", "random_range"] = Field(default="static", validation_alias="delayType")
    static: float = Field(default=1.0, ge=0, le=LONGEST_SECONDS, validation_alias="delayStatic")
    shortest: float = Field(default=1.0, ge=0, le=LONGEST_SECONDS, validation_alias="delayRandomMin")
    longest: float = Field(default=5.0, ge=0, le=LONGEST_SECONDS, validation_alias="delayRandomMax")


class RunAlarm(Event, name="RUN_ALARM", audience=Audience.RUN):
    """A run takes longer than its workflow says (``late``), or nothing happens in it (``stuck``).

    ``timestamp`` is ISO 8601 in UTC.
    """

    type: str = "RUN_ALARM"
    job_id: JobId
    seq: int
    kind: Literal["late", "stuck"]
    message: str
    timestamp: str
