"""The interfaces between the engine's rooms: what the runner needs, and what the command handlers need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from core_engine.kernel.component import Component
from core_engine.kernel.payload import Payload
from core_engine.kernel.suspension import SignedAnswer
from shared.contract.component import ComponentInfo
from shared.contract.run import RunDetails, RunMode, RunStatus, RunSummary
from shared.contract.workflow import WorkflowProblem

Frame = dict[str, Any]
Sink = Callable[[Sequence[Frame]], None]


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
class StartRun:
    """A request to start a run. ``started_by`` is the verified address, in lower case.

    ``effect_key`` is what the idempotency keys of its steps are made from (default: the run id), so that the same
    work under another run id keeps its keys. ``origin`` says what started it, a kind and maybe a name behind a
    colon: command, child, trigger:<id>, rerun:<run id>, error:<run id>. ``options`` are kept with the run as JSON.
    """

    run_id: str
    workflow_data: dict[str, Any]
    started_by: str
    initial_payload: Payload = field(default_factory=Payload)
    mode: RunMode = RunMode.EXECUTE
    preset_name: str | None = None
    start_node_id: str | None = None
    parent: ParentStep | None = None
    effect_key: str | None = None
    origin: str = "command"
    options: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class EndedRun:
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


class EndListener(Protocol):
    """Someone who acts on the ends of runs; it may hear of one end more than once, also in a later process."""

    def wants_end(self, run: EndedRun) -> bool:
        """Whether this end matters; asked often, on the event loop, so it must be quick."""
        ...

    async def run_ended(self, run: EndedRun) -> None:
        """Act; a failure is logged and the end is told again at the next start."""
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

    def summary(self, run_id: str) -> RunSummary:
        """Return a run's summary."""
        ...

    async def details(self, run_id: str) -> RunDetails:
        """Return a run with its nodes, also long after it ended."""
        ...

    async def connection_history(self, run_id: str, connection_id: str) -> list[dict[str, Any]]:
        """Return the payloads ``{"data", "history"}`` that went along a connection, oldest first.

        NOT_FOUND for an unknown connection too.
        """
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
        after_item: int | None = None,
    ) -> list[RunSummary]:
        """List runs, newest first; ``started_by`` None means everybody's.

        Runs that another run started are listed only by naming that one as ``parent``: in the order of their items,
        from just after ``after_item``.
        """
        ...

    async def subscribe(
        self, run_id: str, sink: Sink, after_seq: int, *, include_children: bool = False
    ) -> Callable[[], None]:
        """Deliver the events after ``after_seq``, past ones first, then live ones; return the unsubscribe.

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

    async def recover(self) -> int:
        """After a start: go on with every unfinished run; return how many there are."""
        ...

    async def close(self, grace_seconds: float) -> None:
        """Start nothing new, give running steps the grace, interrupt the rest; all is journaled for the next start."""
        ...
