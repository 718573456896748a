"""Runs: the commands that start, steer and read them, and the events that tell how they go (protocol §4.1-4.2)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from shared.contract.base import Audience, Command, Event, JobId, Outgoing, Role
from shared.contract.pin import MAX_BREAKPOINTS, MAX_PINS, PinnedOutputs
from shared.contract.usage import UsageTotals
from shared.contract.wait import StepAnswer, StepWait


class RunMode(StrEnum):
    """EXECUTE does the work; SIMULATE walks the graph without any side effect."""

    EXECUTE = "EXECUTE"
    SIMULATE = "SIMULATE"


class RunStatus(StrEnum):
    """Where a run stands. SUCCEEDED, FAILED and STOPPED are final."""

    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    STOPPED = "STOPPED"

    @property
    def final(self) -> bool:
        """Whether nothing more happens in the run."""
        return self in {RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.STOPPED}


RUN_MODES = {mode.value: mode for mode in RunMode}
RUN_STATUSES = {status.value: status for status in RunStatus}
"""Both by their values: on Python 3.11 calling an enum to find a member is as dear as ten calls of a function.

The value of a member is two calls, and ``str`` of it one."""


class NodeStatus(StrEnum):
    """Where a node of a run stands."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    WAITING = "WAITING"
    SUCCESS = "SUCCESS"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"


class StatusData(Outgoing):
    """The state of a run; times are ISO 8601 in UTC."""

    status: RunStatus
    start_time: str | None = None
    end_time: str | None = None
    error_message: str | None = None


class WorkflowStatusUpdate(
    Event, name="workflow_status_update", relay="WORKFLOW_EXECUTION_UPDATE", audience=Audience.RUN
):
    """A run started, paused, went on or ended. ``seq`` numbers the events of one run from 1 without a gap."""

    type: str = "workflow_status_update"
    job_id: JobId
    seq: int
    status_data: StatusData
    request_id: str | None = None


class NodeExecutionMetric(
    Event, name="NODE_EXECUTION_METRIC", relay="NODE_METRIC_UPDATE", audience=Audience.RUN
):
    """A node started (RUNNING) or ended (SUCCESS, ERROR). ``timestamp`` is Unix time in seconds."""

    type: str = "NODE_EXECUTION_METRIC"
    job_id: JobId
    seq: int
    node_id: str
    status: Literal["RUNNING", "SUCCESS", "ERROR"]
    timestamp: float
    module_id: str
    attempt: int = 1
    execution_time_ms: float | None = None
    error: str | None = None
    retry_in_seconds: float | None = None


class ConnectionStatusUpdate(
    Event, name="CONNECTION_STATUS_UPDATE", relay="CONNECTION_UPDATE", audience=Audience.RUN
):
    """Data passed along a connection."""

    type: str = "CONNECTION_STATUS_UPDATE"
    job_id: JobId
    seq: int
    connection_id: str
    status: Literal["ACTIVE"] = "ACTIVE"


class LogEvent(Event, name="log", relay="WORKFLOW_LOG_ENTRY", audience=Audience.RUN):
    """A line a component (or the executor) wrote; ``timestamp`` is ISO 8601 in UTC."""

    type: str = "log"
    job_id: JobId
    seq: int
    level: Literal["DEBUG", "INFO", "SUCCESS", "WARN", "ERROR"]
    source: str
    message: str
    timestamp: str
    node_id: str | None = None
    workflow_context_id: JobId | None = None


class DebugPopup(Event, name="SHOW_DEBUG_POPUP", relay="SHOW_DEBUG_POPUP", audience=Audience.RUN):
    """A workflow wants to show something to whoever watches it."""

    type: str = "SHOW_DEBUG_POPUP"
    job_id: JobId
    seq: int
    node_id: str
    title: str
    content: Any
    config: dict[str, Any] = Field(default_factory=dict)


class ExecuteWorkflow(Command, name="execute_workflow", reply=WorkflowStatusUpdate, role=Role.RUNNER):
    """Start a run. The answer comes after the run is safely journaled; its events follow on the same connection.

    ``job_id`` names the run (made by the engine when absent). Sending the same command again is safe: the
    existing run's state is answered, nothing starts twice. ``start_node_id`` starts at that node alone.
    Without ``workflow_data`` the newest version of the saved preset ``preset_name`` runs.

    For trying things out (role admin): ``pins`` fixes results by node and port, ``use_pins`` takes those that are
    stored for the preset, and data stops at the connections in ``breakpoints``.
    """

    workflow_data: dict[str, Any] | None = None
    initial_payload: Any = Field(default_factory=dict)
    preset_name: str | None = Field(default=None, max_length=200)
    mode: RunMode = RunMode.EXECUTE
    start_node_id: str | None = Field(default=None, max_length=80)
    pins: dict[str, PinnedOutputs] = Field(default_factory=dict, max_length=MAX_PINS)
    use_pins: bool = False
    breakpoints: list[str] = Field(default_factory=list, max_length=MAX_BREAKPOINTS)


class StopWorkflow(Command, name="stop_workflow", reply=WorkflowStatusUpdate, role=Role.RUNNER):
    """Stop a run; the running nodes are interrupted. Without ``job_id``: the caller's newest unfinished run."""


class PauseWorkflow(Command, name="pause_workflow", reply=WorkflowStatusUpdate, role=Role.RUNNER):
    """Let running nodes finish and start no further ones until the run is resumed."""


class ResumeWorkflow(Command, name="resume_workflow", reply=WorkflowStatusUpdate, role=Role.RUNNER):
    """Let a paused run go on."""


def _is_empty(value: object) -> bool:
    return value == []


def _is_absent(value: object) -> bool:
    return value is None


class NodeState(Outgoing):
    """One node of a run as it stands; times are Unix milliseconds.

    ``waiting`` and ``answered_by`` are there only for a node that waits, or whose wait a person ended; ``usage``
    only where something that costs was used; ``iterations`` (how often it has run well) and ``next_at`` (when it runs
    again) only for one that loops. ``seeded_from`` names the run whose result the node kept,
    ``pinned`` says that its result was fixed.
    """

    node_id: str
    name: str
    module_id: str
    status: NodeStatus
    attempts: int
    guarantee: str
    started_at: int | None = None
    finished_at: int | None = None
    execution_time_ms: float | None = None
    error: str | None = None
    waiting: StepWait | None = Field(default=None, exclude_if=_is_absent)
    answered_by: StepAnswer | None = Field(default=None, exclude_if=_is_absent)
    usage: UsageTotals | None = Field(default=None, exclude_if=_is_absent)
    iterations: int | None = Field(default=None, exclude_if=_is_absent)
    next_at: int | None = Field(default=None, exclude_if=_is_absent)
    seeded_from: JobId | None = Field(default=None, exclude_if=_is_absent)
    pinned: bool | None = Field(default=None, exclude_if=_is_absent)


class HeldConnection(Outgoing):
    """A connection at which data waits; ``since`` is in Unix milliseconds, ``preview`` the beginning of the data."""

    connection_id: str
    source_node_id: str
    target_node_id: str
    since: int
    preview: str


class RunSummary(Outgoing):
    """One run in a list; times are Unix milliseconds.

    ``origin`` says what started it: command, trigger:<id>, rerun:<job id>, error:<job id>, or child: then the last
    three name the run and node that did, and the run's place among that node's runs.
    """

    job_id: JobId
    preset_name: str | None
    mode: RunMode
    status: RunStatus
    started_by: str
    started_at: int
    finished_at: int | None
    workflow_hash: str
    error_message: str | None = None
    origin: str = "command"
    parent_job_id: JobId | None = Field(default=None, exclude_if=_is_absent)
    parent_node_id: str | None = Field(default=None, exclude_if=_is_absent)
    item: int | None = Field(default=None, exclude_if=_is_absent)


class RunDetails(Event, name="run_response", audience=Audience.CALLER):
    """A run with every node's state. ``last_seq`` is the number of its latest event, ``usage`` what it used in all.

    Of a workflow that runs in rounds, ``round`` (from 1) is the one that the nodes are shown in, ``rounds`` how many
    have begun. ``at_breakpoints`` is there only while data waits at breakpoints.
    ``result`` is the data that a run gave which ended well, ``result_bytes`` its size; a large one is left out.
    """

    type: str = "run_response"
    run: RunSummary
    nodes: list[NodeState]
    last_seq: int
    usage: UsageTotals | None = Field(default=None, exclude_if=_is_absent)
    round: int | None = Field(default=None, exclude_if=_is_absent)
    rounds: int | None = Field(default=None, exclude_if=_is_absent)
    at_breakpoints: list[HeldConnection] = Field(default_factory=list, exclude_if=_is_empty)
    result: Any = Field(default=None, exclude_if=_is_absent)
    result_bytes: int | None = Field(default=None, exclude_if=_is_absent)
    request_id: str | None = None


class GetRun(Command, name="get_run", reply=RunDetails, role=Role.READER):
    """Read one run by ``job_id``; ``round`` (from 1) shows the nodes at the end of an earlier round."""

    round: int | None = Field(default=None, ge=1)


class RunList(Event, name="runs_list_response", audience=Audience.CALLER):
    """Runs, newest first."""

    type: str = "runs_list_response"
    runs: list[RunSummary]
    request_id: str | None = None


class ListRuns(Command, name="list_runs", reply=RunList, role=Role.READER):
    """List the runs the caller may see, newest first; ``before`` (Unix ms) pages backwards.

    Runs that another run started (items of a loop, sub-workflows) are listed by naming it as ``parent_job_id``: then
    they come in the order of their items, and ``after_item`` pages forwards.
    """

    status: RunStatus | None = None
    before: int | None = None
    parent_job_id: JobId | None = None
    after_item: int | None = Field(default=None, ge=0)
    preset_name: str | None = Field(default=None, max_length=200)
    limit: int = Field(default=50, ge=1, le=500)


class RunSubscribed(Event, name="run_subscribed", audience=Audience.CALLER):
    """The subscription stands; events from ``from_seq`` on follow, first the past ones, then live."""

    type: str = "run_subscribed"
    job_id: JobId
    from_seq: int
    request_id: str | None = None


class SubscribeRun(Command, name="subscribe_run", reply=RunSubscribed, role=Role.READER):
    """Follow a run from just after event ``after_seq``: no gap, no repeat, also after a lost connection.

    With ``include_children`` the runs that its steps start follow too, each from its first event on, unless it has
    ended already: `list_runs` with ``parent_job_id`` names those, and each can be followed by itself.
    """

    after_seq: int = Field(default=0, ge=0)
    include_children: bool = False
