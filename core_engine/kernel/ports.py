"""The interfaces between the engine's rooms: what the runner needs, and what the command handlers need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from core_engine.kernel.component import Component
from core_engine.kernel.payload import Payload
from core_engine.kernel.preview import PreviewWish
from core_engine.kernel.suspension import SignedAnswer
from shared.contract.component import ComponentInfo
from shared.contract.expression import ExpressionPreview
from shared.contract.run import NodeStatus, RunDetails, RunMode, RunStatus, RunSummary
from shared.contract.workflow import WorkflowProblem

Frame = dict[str, Any]
Sink = Callable[[Sequence[Frame]], None]
Pace = Callable[[], Awaitable[None]]


async def at_once() -> None:
    """Do not wait: the pace of a sink that takes everything."""


class Registry(Protocol):
    """The components that can be used in workflows."""

    def find(self, component_id: str) -> Component[Any] | None:
        """Return the component of that id, or None."""
        ...

    def listing(self, component_type: str) -> list[ComponentInfo]:
        """Describe the components of a type (modules, plugins, tools, triggers), sorted by name."""
        ...


@dataclass(frozen=True, slots=True)
class ParentStep:
    """The step of another run that starts this one; ``item`` numbers the runs of one step from 0."""

    run_id: str
    node_id: str
    item: int = 0


@dataclass(frozen=True, slots=True)
class Seed:
    """The result that a node of a new run has from the start; ``outputs`` are payloads as JSON by port.

    ``status`` is SUCCESS, ERROR (``raised`` when its error opened the error port by itself) or SKIPPED. ``source``
    is the run it is taken from.
    """

    node_id: str
    status: NodeStatus
    outputs: Mapping[str, bytes] = field(default_factory=dict)
    source: str | None = None
    pinned: bool = False
    raised: bool = False
    error: str | None = None


class StartRun(msgspec.Struct, frozen=True):
    """A request to start a run. ``started_by`` is the verified address, in lower case.

    ``effect_key`` is what the idempotency keys of its steps are made from (default: the run id), so that the same
    work under another run id keeps its keys. ``origin`` says what started it, a kind and maybe a name behind a
    colon: command, child, trigger:<id>, rerun:<run id>, error:<run id>. ``options`` are kept with the run as JSON.
    ``seeds`` are results that nodes have from the start, in the order of the workflow. ``trace`` is the
    ``traceparent`` of the trace that the run's spans join, as its starter said it; it proves nothing.
    ``workflow_json`` is the canonical JSON of ``workflow_data``, from whoever has it made already.
    """

    run_id: str
    workflow_data: dict[str, Any]
    started_by: str
    initial_payload: Payload = msgspec.field(default_factory=Payload)
    mode: RunMode = RunMode.EXECUTE
    preset_name: str | None = None
    start_node_id: str | None = None
    parent: ParentStep | None = None
    effect_key: str | None = None
    origin: str = "command"
    options: Mapping[str, Any] | None = None
    seeds: Sequence[Seed] = ()
    trace: str | None = None
    workflow_json: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rerun:
    """How a run is done again; ``workflow_data`` None means the workflow it ran.

    With ``from_nodes`` only these nodes and what comes after them, with ``from_failed`` what failed or was not
    reached; every other node keeps its result. ``rerun_changed`` also does again what has no usable result.
    """

    run_id: str
    new_run_id: str
    by: str
    workflow_data: dict[str, Any] | None = None
    from_nodes: Sequence[str] = ()
    from_failed: bool = False
    rerun_changed: bool = False
    of_unfinished: bool = False
    initial_payload: Payload | None = None
    mode: RunMode | None = None


class EndedRun(msgspec.Struct, frozen=True):
    """A run that has ended, for those who wait for ends; times are Unix milliseconds."""

    run_id: str
    status: RunStatus
    mode: RunMode
    started_by: str
    preset_name: str | None
    origin: str
    parent: ParentStep | None
    error: str | None
    started_at: int
    finished_at: int


@dataclass(frozen=True, slots=True)
class RaisedAlarm:
    """A run is ``late`` or ``stuck``; ``preset`` is what its workflow wants to be run then."""

    run_id: str
    kind: str
    message: str
    preset: str | None
    mode: RunMode
    started_by: str
    preset_name: str | None
    origin: str


AlarmListener = Callable[[RaisedAlarm], None]


@dataclass(frozen=True, slots=True)
class RunFailure:
    """What is known of a run that failed: the preset its workflow wants to be run then, and the failed nodes.

    Each node has ``node_id``, ``name``, ``error`` and ``attempts``.
    """

    error_preset: str | None
    failed_nodes: list[dict[str, Any]]


class EndListener(Protocol):
    """Someone who acts on the ends of runs; it may hear of one end more than once, also in a later process."""

    def wants_end(self, run: EndedRun) -> bool:
        """Whether this end matters; asked often, on the event loop, so it must be quick."""
        ...

    async def run_ended(self, run: EndedRun) -> None:
        """Act; a failure is logged and the end is told again at the next start."""
        ...


class Debuggable(Protocol):
    """An unfinished run at whose connections data can be made to stop."""

    def set_breakpoints(self, connections: Sequence[str], by: str) -> None:
        """Have data stop at these connections and at no others; raises NOT_FOUND for an unknown one."""
        ...

    def let_pass(self, connection: str | None, by: str, *, step: bool) -> None:
        """Let data go on along one connection or all; with ``step`` to the next ones. CONFLICT when none waits."""
        ...


class Runs(Protocol):
    """Everything that can be done with runs.

    Frames are the documented raw-socket events of `shared.contract.run` as plain dicts, each with ``job_id``
    and ``seq``. All methods are called on the event loop; sinks are called there too and must not block.
    Every method raises FloworkError NOT_FOUND for an unknown run.
    """

    async def start(self, request: StartRun, sink: Sink | None = None) -> Frame:
        """Journal a new run and set it going; return its ``workflow_status_update`` frame once it is synced.

        The sink receives every event from the first on (the RUNNING status included). A run id that exists
        already with the same starter and workflow is answered with its state, and the sink follows it from
        here; with another starter or workflow: CONFLICT. A wrong workflow: INVALID_WORKFLOW, details are a
        list of `WorkflowProblem` as dicts.
        """
        ...

    def validate(self, workflow_data: dict[str, Any]) -> list[WorkflowProblem]:
        """Return every problem of a workflow."""
        ...

    def unready(self, workflow_data: dict[str, Any]) -> list[WorkflowProblem]:
        """Return which nodes of a workflow without problems cannot run on this machine as things are, and why."""
        ...

    async def stop(self, run_id: str, by: str) -> Frame:
        """Journal a stop, interrupt what runs, and return the final status frame."""
        ...

    async def pause(self, run_id: str, by: str) -> Frame:
        """Journal a pause; running steps finish, no further ones start. CONFLICT when the run has ended."""
        ...

    async def resume(self, run_id: str, by: str) -> Frame:
        """Journal the end of a pause. CONFLICT when the run is not paused."""
        ...

    async def answer(self, run_id: str, node_id: str, signed: SignedAnswer) -> RunDetails:
        """Journal a person's answer to a node that waits for approval, and return the run.

        NOT_FOUND for an unknown node, CONFLICT when the node does not wait for an answer (any more).
        """
        ...

    async def publish_event(self, name: str, correlation: str, data: Any) -> int:
        """Give an event to every step that waits for it; return how many did, once that is journaled."""
        ...

    async def resume_wait(self, token: str, data: Any) -> str:
        """Give what came from outside to the step that waits with this token; return its run's id.

        NOT_FOUND for an unknown token, and once the wait is over.
        """
        ...

    def follows(self, run_id: str, sink: Sink) -> bool:
        """Tell whether a sink is given the events of a run."""
        ...

    def starter(self, run_id: str) -> str | None:
        """Return the address that started a run; None where there is no such run."""
        ...

    def summary(self, run_id: str) -> RunSummary:
        """Return a run's summary."""
        ...

    async def details(self, run_id: str, round_number: int | None = None) -> RunDetails:
        """Return a run with its nodes, also long after it ended.

        Of a workflow that runs in rounds: as they stood in the latest, or at the end of round ``round_number`` (from
        1); NOT_FOUND when there was no such round.
        """
        ...

    async def failure(self, run_id: str) -> RunFailure:
        """Return what is known of a run that failed."""
        ...

    async def connection_history(self, run_id: str, connection_id: str) -> list[dict[str, Any]]:
        """Return the payloads ``{"data", "history"}`` that went along a connection, oldest first.

        NOT_FOUND for an unknown connection too.
        """
        ...

    async def preview(self, wish: PreviewWish) -> ExpressionPreview:
        """Return what a text with expressions gives with the data of a run; nothing runs, nothing is recorded."""
        ...

    async def rerun_request(self, wish: Rerun) -> StartRun:
        """Return the request that does a run again, for `start`.

        Raises CONFLICT when the run has not ended, or when nodes that would keep their results have none or were
        changed since: the details list them.
        """
        ...

    async def recorded(self, run_id: str, node_id: str) -> dict[str, dict[str, Any]]:
        """Return a node's recorded payloads ``{"data", "history"}`` by port; CONFLICT when it has none."""
        ...

    async def results(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Return what the nodes of a run gave: payloads ``{"data", "history"}`` by port, by node id."""
        ...

    async def flow_test(self, run_id: str) -> dict[str, Any]:
        """Return a test file (`shared.contract.flow_test.FlowTestFile`) made from a run; CONFLICT before its end."""
        ...

    async def debug(self, run_id: str, change: Callable[[Debuggable], None]) -> RunDetails:
        """Change where an unfinished run stops, and return it once that is journaled."""
        ...

    def reruns(self) -> dict[str, list[RunSummary]]:
        """Return the reruns of every run that has some, by the id of the run done again; it blocks."""
        ...

    async def listing(  # noqa: PLR0913 - one keyword for each filter
        self,
        *,
        started_by: str | None,
        status: RunStatus | None,
        before: int | None,
        limit: int,
        parent: str | None = None,
        preset: str | None = None,
        after: int | None = None,
        error: str | None = None,
        after_item: int | None = None,
    ) -> list[RunSummary]:
        """List runs, newest first; ``started_by`` None means everybody's, ``error`` is part of their error text.

        Runs that another run started are listed only by naming that one as ``parent``: in the order of their items,
        from just after ``after_item``.
        """
        ...

    async def subscribe(
        self,
        run_id: str,
        sink: Sink,
        after_seq: int,
        pace: Pace = at_once,
        *,
        include_children: bool = False,
    ) -> Callable[[], None]:
        """Deliver the events after ``after_seq``, past ones first, then live ones; return the unsubscribe.

        ``pace`` is awaited after each portion of past events, so that a long history does not flood its reader.
        ``include_children``: the runs that its steps start are followed too, each from its first event on.
        """
        ...

    def unsubscribe(self, sink: Sink) -> None:
        """Take a sink (a lost connection) out of every run."""
        ...

    @property
    def busy(self) -> bool:
        """Whether any step runs now."""
        ...

    def on_end(self, listener: EndListener) -> None:
        """Tell the listener of every end it wants; to be called before `recover`."""
        ...

    def on_alarm(self, listener: AlarmListener) -> None:
        """Tell the listener of every alarm, again after a restart while the run goes on; to be called before `recover`.

        It is called on the event loop and must not block.
        """
        ...

    async def recover(self) -> int:
        """After a start: go on with every unfinished run; return how many there are."""
        ...

    async def close(self, grace_seconds: float) -> None:
        """Start nothing new, give running steps the grace, interrupt the rest; all is journaled for the next start."""
        ...
