"""A session on an engine's raw WebSocket: typed commands, their answers, and runs that are followed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakValueDictionary

from flowork.client.answers import clock_advice
from flowork.client.deadline import Deadline
from flowork.client.documents import PresetCalls, VariableCalls
from flowork.client.events import EventParser, error_of
from flowork.client.run import Run
from flowork.client.socket import ConnectionLostError, EngineSocket
from shared.clock import Clock, SystemClock
from shared.contract.approval import ApproveManual, RejectManual
from shared.contract.base import Command, Event, Outgoing, Role
from shared.contract.component import ComponentInfo, ComponentsList, ComponentType, RequestComponentsList
from shared.contract.envelope import ErrorEvent
from shared.contract.run import (
    ExecuteWorkflow,
    GetRun,
    ListRuns,
    RunDetails,
    RunList,
    RunMode,
    RunStatus,
    RunSummary,
    StopWorkflow,
    SubscribeRun,
    WorkflowStatusUpdate,
)
from shared.contract.workflow import ValidateWorkflow, WorkflowValidation
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id
from shared.signing.envelope import seal
from shared.signing.keys import Signer

Reply = TypeVar("Reply", bound=Outgoing)
RECONNECT_SECONDS = 60.0
RUN_SECONDS = 3600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0
_SAFE_TO_REPEAT = (ExecuteWorkflow, StopWorkflow)


class EngineSession:
    """A connection to one engine for one identity; a context manager, used from one thread at a time.

    Every message is signed together with its payload. Methods raise `FloworkError` with the engine's code,
    ENGINE_UNAVAILABLE when the connection cannot be made again, DEADLINE_EXCEEDED after ``timeout_seconds``.
    """

    def __init__(
        self,
        socket_url: str,
        engine_id: str,
        identity: Signer,
        *,
        timeout_seconds: float = 15.0,
        clock: Clock | None = None,
    ) -> None:
        self.engine_id = engine_id
        self._identity = identity
        self._timeout = timeout_seconds
        self._clock = clock or SystemClock()
        self._socket = EngineSocket(socket_url, engine_id)
        self._parser = EventParser()
        self._answers: dict[str, Event | None] = {}
        self._runs: WeakValueDictionary[str, Run] = WeakValueDictionary()
        self._clock_advice = ""
        self._patience: Deadline | None = None
        self._pause = _FIRST_PAUSE

    def __enter__(self) -> Self:
        self._open(self._deadline("connection to the engine"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def call(self, command: Command) -> Outgoing:
        """Send any command of the contract and return its reply, an instance of ``command.reply``.

        After a lost connection a command that may be repeated is sent again; for any other the outcome is
        unknown and ENGINE_UNAVAILABLE says so.
        """
        deadline = self._deadline(f"answer to {command.name}")
        repeatable = command.role is Role.READER or isinstance(command, _SAFE_TO_REPEAT)
        while True:
            try:
                return self._ask(command, deadline)
            except ConnectionLostError as error:
                if not repeatable:
                    raise FloworkError(
                        error.code,
                        f"{error.message} Whether {command.name} was carried out is unknown.",
                    ) from error
            self.reconnect(deadline)

    def run(  # noqa: PLR0913 - the documented fields of execute_workflow, by keyword
        self,
        workflow_data: Mapping[str, Any] | None,
        *,
        initial_payload: Any = None,
        mode: RunMode = RunMode.EXECUTE,
        preset_name: str | None = None,
        start_node_id: str | None = None,
        job_id: str | None = None,
        timeout_seconds: float = RUN_SECONDS,
    ) -> Run:
        """Start a run and return it for iteration; the engine has it safely journaled by then.

        Without ``workflow_data`` the newest version of the saved preset ``preset_name`` runs. ``timeout_seconds``
        bounds the iteration, not the run. Raises INVALID_WORKFLOW with every problem.
        """
        command = ExecuteWorkflow(
            job_id=job_id or new_id(),
            workflow_data=None if workflow_data is None else dict(workflow_data),
            initial_payload={} if initial_payload is None else initial_payload,
            mode=mode,
            preset_name=preset_name,
            start_node_id=start_node_id,
        )
        run = self._followed(str(command.job_id), timeout_seconds)
        self._expect(command, WorkflowStatusUpdate)
        return run

    def follow(self, job_id: str, *, timeout_seconds: float = RUN_SECONDS) -> Run:
        """Return a run for iteration from its first event on, also one that ended long ago.

        Iterating raises NOT_FOUND for a run that does not exist or may not be read.
        """
        run = self._followed(job_id, timeout_seconds)
        run.lost()
        return run

    def stop(self, job_id: str) -> WorkflowStatusUpdate:
        """Stop a run and return its state."""
        return self._expect(StopWorkflow(job_id=job_id), WorkflowStatusUpdate)

    def answer(
        self, job_id: str, node_id: str, *, approve: bool, comment: str = "", approval_id: str | None = None
    ) -> RunDetails:
        """Approve or reject what a node of a run asks, and return the run.

        ``approval_id``, if given, says which request is meant. Raises CONFLICT when the node does not wait for an
        answer.
        """
        kind = ApproveManual if approve else RejectManual
        command = kind(job_id=job_id, node_id=node_id, comment=comment, approval_id=approval_id)
        return self._expect(command, RunDetails)

    def subscribe(self, job_id: str, after_seq: int) -> None:
        """Let the events of a run after a number come in; see `follow`. Raises ConnectionLostError."""
        command = SubscribeRun(job_id=job_id, after_seq=after_seq)
        self._ask(command, self._deadline(f"answer to {command.name}"))

    def validate(self, workflow_data: Mapping[str, Any]) -> WorkflowValidation:
        """Return every problem of a workflow without running it."""
        return self._expect(ValidateWorkflow(workflow_data=dict(workflow_data)), WorkflowValidation)

    def runs(
        self, *, status: RunStatus | None = None, before: int | None = None, limit: int = 50
    ) -> list[RunSummary]:
        """Return runs, newest first; ``before`` (Unix ms) pages backwards."""
        return self._expect(ListRuns(status=status, before=before, limit=limit), RunList).runs

    def get_run(self, job_id: str) -> RunDetails:
        """Return a run with the state of every node."""
        return self._expect(GetRun(job_id=job_id), RunDetails)

    def ask(self, command: Command, kind: type[Reply]) -> Reply:
        """Send any command of the contract whose reply is of a known kind; see `call`."""
        return self._expect(command, kind)

    def components(self, component_type: ComponentType = "modules") -> list[ComponentInfo]:
        """Return the engine's components of one type."""
        return self._expect(RequestComponentsList(component_type=component_type), ComponentsList).components

    @property
    def presets(self) -> PresetCalls:
        """The engine's saved workflows."""
        return PresetCalls(self.ask, self._identity)

    @property
    def variables(self) -> VariableCalls:
        """The engine's variables."""
        return VariableCalls(self.ask)

    def reconnect(self, deadline: Deadline) -> None:
        """Connect again with growing pauses; raises ENGINE_UNAVAILABLE a minute after the last frame.

        A connection that ends before it brought anything counts as none.
        """
        for run in self._runs.values():
            run.lost()
        if self._patience is None:
            self._patience = Deadline(RECONNECT_SECONDS, "connection to the engine")
        while True:
            time.sleep(deadline.sooner(self._pause))
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            try:
                return self._open(deadline)
            except ConnectionLostError:
                if self._patience.over:
                    raise

    def pump(self, deadline: Deadline) -> None:
        """Take in what comes next, if it comes in time: awaited answers are kept, events go to their runs."""
        frame = self._socket.receive(deadline.left())
        if frame is None:
            return
        self._patience, self._pause = None, _FIRST_PAUSE
        for event in self._parser.parse(frame):
            self._keep_answer(event)
            run = self._runs.get(getattr(event, "job_id", None) or "")
            seq = getattr(event, "seq", None)
            if run and isinstance(seq, int):
                run.feed(event, seq)

    def _keep_answer(self, event: Event) -> None:
        request = getattr(event, "request_id", None)
        if (
            isinstance(event, ErrorEvent)
            and request is None
            and event.job_id is None
            and len(self._answers) == 1
        ):
            request = next(iter(self._answers))  # refused before its payload was read, so without its id
        if request in self._answers:
            self._answers[request] = event

    def _expect(self, command: Command, reply: type[Reply]) -> Reply:
        answer = self.call(command)
        if not isinstance(answer, reply):
            raise FloworkError(ErrorCode.INTERNAL, f"The engine answered {command.name} with another event.")
        return answer

    def _ask(self, command: Command, deadline: Deadline) -> Event:
        request = command.request_id or new_id()
        fields = command.model_dump(mode="json", by_alias=True) | {"request_id": request}
        payload = {"type": command.name} | {name: item for name, item in fields.items() if item is not None}
        self._answers[request] = None
        try:
            self._socket.send(seal(self._identity, self.engine_id, payload, now_ms=self._clock.now_ms()))
            while (answer := self._answers[request]) is None:
                self.pump(deadline)
        finally:
            del self._answers[request]
        if isinstance(answer, ErrorEvent):
            raise self._refused(answer)
        return answer

    def _refused(self, answer: ErrorEvent) -> FloworkError:
        error = error_of(answer)
        if error.code is ErrorCode.STALE:
            return FloworkError(error.code, f"{error.message} {self._clock_advice}", details=error.details)
        return error

    def _open(self, deadline: Deadline) -> None:
        self._socket.open(deadline)
        self._clock_advice = clock_advice(self._socket.server_date, self._clock.now_ms())

    def _followed(self, job_id: str, timeout_seconds: float) -> Run:
        # Kept weakly: events of a run that nobody holds any more have nowhere to go.
        self._runs[job_id] = run = Run(self, job_id, Deadline(timeout_seconds, f"end of run {job_id}"))
        return run

    def _deadline(self, what: str) -> Deadline:
        return Deadline(self._timeout, what)
