"""One attempt of one step: what the component sees, and how its code is called."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Protocol

import msgspec
from pydantic import ValidationError

from core_engine.kernel.component import Config, Execution, StepPolicy
from core_engine.kernel.context import LogLevel, Spent
from core_engine.kernel.family import CalledWorkflow
from core_engine.kernel.payload import DeadInput, Input, Payload
from core_engine.kernel.suspension import Answer, Suspend
from core_engine.workflow.children import SPEC, decode_spec
from core_engine.workflow.environment import Environment
from core_engine.workflow.expressions import Scope
from core_engine.workflow.failures import mask, mask_start, mask_value
from core_engine.workflow.graph import Node
from core_engine.workflow.journal import encode_result
from core_engine.workflow.settings_plan import SettingsPlan
from core_engine.workflow.state import Given, RunState
from core_engine.workflow.usage import MOST_SPENDINGS, Spending
from shared import logs
from shared.errors import ErrorCode, FloworkError

MOST_LOG_LINES = 10_000
MOST_LOG_CHARS = 32 * 1024 * 1024
LONGEST_LOG = 64 * 1024
LARGEST_POPUP = 1024 * 1024
LONGEST_TITLE = 1000
_LEVELS = frozenset({"DEBUG", "INFO", "SUCCESS", "WARN", "ERROR"})
Returned = dict[str, bytes] | Suspend
Outcome = Returned | BaseException


class Host(Protocol):
    """The run a step belongs to; its methods are called on the event loop's thread only."""

    @property
    def env(self) -> Environment: ...  # noqa: D102
    @property
    def state(self) -> RunState: ...  # noqa: D102

    def note_log(self, context: StepContext, level: str, message: str) -> None:
        """Record a line."""
        ...

    def note_popup(self, context: StepContext, title: str, content: bytes, config: dict[str, Any]) -> None:
        """Record a popup; ``content`` is JSON."""
        ...

    def note_spending(self, context: StepContext, spending: Spending) -> None:
        """Record what the step used."""
        ...

    def step_began(self, attempt: Attempt) -> None:
        """Hear that a step that was sent away runs from now on."""
        ...

    def step_returned(self, attempt: Attempt, outcome: Outcome) -> None:
        """Take the end of a launched step's code."""
        ...


class StepContext:
    """The component's `Context`. What it writes after the attempt is over is dropped.

    ``plan`` is what made the settings with the values ``found`` of their expressions, where they have some.
    """

    open = True
    answer: Answer | None = None
    plan: SettingsPlan | None = None
    found: Sequence[Any] = ()
    _posted_lines = _posted_chars = _spendings = 0

    def __init__(
        self, host: Host, node: Node, attempt: int, given: Given, answer: Answer | None = None
    ) -> None:
        state, planner = host.state, host.state.planner
        self._host = host
        self._given = given
        self.node = node
        self.attempt = attempt
        self.iteration = planner.iterations.get(node.index, 0)
        self.round = planner.round
        self.mode = state.mode
        if answer:
            self.answer = answer
        self.secrets: list[str] = []

    @property
    def values(self) -> Any:
        """The settings as values, expressions resolved once they have been."""
        return self.plan.values(self.found) if self.plan else self.node.values

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._host.state.accepted.run_id

    @property
    def workflow(self) -> str:
        """The saved workflow the run was started from, or the fingerprint of one that is not saved."""
        accepted = self._host.state.accepted
        return f"preset {accepted.preset}" if accepted.preset else f"unsaved {accepted.workflow}"

    @property
    def node_id(self) -> str:
        """The node's id."""
        return self.node.id

    @property
    def node_name(self) -> str:
        """The node's label."""
        return self.node.name

    @property
    def files(self) -> Any:
        """Access to files inside the engine's roots."""
        return self._host.env.files

    @property
    def inputs(self) -> tuple[Input, ...]:
        """Every live incoming connection and what came along it."""
        return self._host.state.inputs(self._given)

    @property
    def dead_inputs(self) -> tuple[DeadInput, ...]:
        """Every incoming connection that brought nothing, and why."""
        return self._host.state.dead_inputs(self._given, self.node.index)

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt of this step, different for every other step, iteration and round."""
        accepted = self._host.state.accepted
        base = accepted.effect_key or accepted.run_id
        rounds = f"\nround {self.round}" if self.round else ""
        return hashlib.sha256(f"{base}\n{self.node.id}\n{self.iteration}{rounds}".encode()).hexdigest()

    def saved_workflow(self, preset: str) -> CalledWorkflow:
        """Return a saved workflow: the version this step has used before, else the newest; blocks."""
        state = self._host.state
        asked = state.asked.get(self.node.index)
        spec = decode_spec(state.payloads.load(asked[SPEC])) if asked else None
        if spec and spec.workflow is not None and spec.preset == preset:
            return CalledWorkflow(preset, spec.version or 0, spec.workflow)
        return self._host.env.presets(preset)

    def log(self, message: str, level: LogLevel = "INFO") -> None:
        """Write a line to the run's log, from any thread."""
        text = clean_text(mask_start(str(message), self._hidden(), LONGEST_LOG))
        self._write(self._host.note_log, len(text), level if level in _LEVELS else "INFO", text)

    def popup(self, title: str, content: Any, config: dict[str, Any] | None = None) -> None:
        """Show something, from any thread; raises TypeError or ValueError when it is no JSON value."""
        body = msgspec.json.encode(content)
        options = msgspec.json.decode(msgspec.json.encode(config or {}), type=dict[str, Any])
        title = str(title)
        if hidden := self._hidden():
            title, options = mask(title, hidden), mask_value(options, hidden)
            body = msgspec.json.encode(mask_value(msgspec.json.decode(body), hidden))
        if len(body) > LARGEST_POPUP:
            body = msgspec.json.encode(f"(too large to show: {len(body)} bytes)")
        title = clean_text(title[:LONGEST_TITLE])
        self._write(self._host.note_popup, len(body), title, body, options)

    def spend(self, kind: str, *, cost: Decimal | float | str = 0, **more: Any) -> None:
        """Tell what the step used, from any thread; see `Context.spend`."""
        if self._spendings >= MOST_SPENDINGS:
            message = f"A step can tell {MOST_SPENDINGS} times what it used, not more often."
            raise FloworkError(ErrorCode.TOO_LARGE, message)
        self._spendings += 1
        spending = Spending.of(kind, cost=cost, **more)
        env = self._host.env
        if threading.get_ident() == env.thread_id:
            self._host.note_spending(self, spending)
        else:
            with suppress(RuntimeError):  # the loop is closed: the engine has ended
                env.loop.call_soon_threadsafe(self._host.note_spending, self, spending)

    def spent(self) -> Spent:
        """Return what the run has used so far."""
        return self._host.state.usage.total()

    def _hidden(self) -> list[str]:
        """Return what must not be shown: the secrets this step used, and all others of the engine."""
        return [*self.secrets, *self._host.env.secrets()]

    def _write(self, note: Callable[..., None], size: int, *args: Any) -> None:
        env = self._host.env
        if threading.get_ident() == env.thread_id:
            note(self, *args)
        elif self._posted_lines <= MOST_LOG_LINES and self._posted_chars <= MOST_LOG_CHARS:
            # bounds what waits for the loop; the limit of the whole run is kept there
            self._posted_lines += 1
            self._posted_chars += size
            with suppress(RuntimeError):  # the loop is closed: the engine has ended
                env.loop.call_soon_threadsafe(note, self, *args)


class Attempt:
    """A step that holds a slot: claimed, then launched, then over. Its identity is the fence within a process."""

    __slots__ = (
        "context",
        "launched",
        "node",
        "number",
        "payload",
        "policy",
        "since",
        "started",
        "task",
        "timer",
    )

    def __init__(self, node: Node, number: int, policy: StepPolicy) -> None:
        self.node = node
        self.number = number
        self.policy = policy
        self.launched = False
        self.since = 0.0
        self.started = 0  # the number of the record that it began with; 0: that is not known any more
        self.context: StepContext | None = None
        self.payload: Payload | None = None
        self.task: asyncio.Task[Any] | None = None
        self.timer: asyncio.TimerHandle | None = None

    def end(self) -> None:
        """Close the attempt: its code is interrupted where that is possible, its result will be refused."""
        if self.context:
            self.context.open = False
        if self.timer:
            self.timer.cancel()
        if self.task:
            self.task.cancel()


def scope_of(host: Host, context: StepContext, payload: Payload) -> Scope:
    """Return what a step's expressions can see."""
    state = host.state
    accepted = state.accepted
    return Scope(payload, state.result, state.about, host.env.variables, accepted.started_by, context.secrets)


def configure(
    host: Host, context: StepContext, payload: Payload, settled: SettingsPlan | None = None
) -> Config:
    """Return the step's settings, expressions resolved; raises INVALID_WORKFLOW naming each wrong field.

    ``settled`` takes the place of the node's own plan, where a part of the settings has been worked out already.
    """
    node = context.node
    if node.config is not None:
        return node.config
    if node.defect:
        raise FloworkError(ErrorCode.INVALID_WORKFLOW, node.defect)
    plan = settled or node.plan or SettingsPlan(node.component, node.template)
    found = plan.search(payload.data) if plan.of_data else plan.render(scope_of(host, context, payload))
    context.plan, context.found = plan, found
    try:
        return plan.config(found)
    except ValidationError as error:
        items = error.errors(include_url=False, include_input=False)
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in items)
        raise FloworkError(ErrorCode.INVALID_WORKFLOW, f"The settings are wrong: {wrong}") from error


def launch(host: Host, attempt: Attempt, context: StepContext, config: Config, payload: Payload) -> None:
    """Start a claimed step; the host's `step_returned` is called once its code has ended, however it ended."""
    execution = attempt.node.component.execution
    if execution is Execution.ASYNC:
        name = f"step {context.run_id} {context.node_id}"
        attempt.task = host.env.loop.create_task(_drive(context, config, payload), name=name)
        attempt.task.add_done_callback(lambda task: host.step_returned(attempt, _task_outcome(task)))
    elif execution is Execution.THREAD:
        host.env.threads.submit(lambda: _on_thread(host, attempt, context, config, payload))
    else:
        try:
            with logs.of_run(context.run_id):
                outcome: Outcome = encode_result(_call(context, config, payload))
        except Exception as error:  # noqa: BLE001 - whatever a component raises fails its step only
            outcome = error
        host.step_returned(attempt, outcome)


def clean_text(text: str) -> str:
    """Return the text without what UTF-8 cannot say (lone surrogates)."""
    return text.encode("utf-8", "replace").decode()


def _call(context: StepContext, config: Config, payload: Payload) -> Any:
    component = context.node.component
    if context.answer:
        return component.resume(context, config, payload, context.answer)
    return component.call(context, config, payload)


async def _drive(context: StepContext, config: Config, payload: Payload) -> Returned:
    with logs.of_run(context.run_id):
        result = _call(context, config, payload)
        if inspect.isawaitable(result):
            result = await result
        return encode_result(result)


def _task_outcome(task: asyncio.Task[Returned]) -> Outcome:
    if task.cancelled():
        return FloworkError(ErrorCode.COMPONENT_FAILED, "The step was cancelled.")
    return task.exception() or task.result()


def _on_thread(host: Host, attempt: Attempt, context: StepContext, config: Config, payload: Payload) -> None:
    if not context.open:  # given up before a thread was free
        outcome: Outcome = FloworkError(ErrorCode.COMPONENT_FAILED, "The step was cancelled.")
    else:
        try:
            with logs.of_run(context.run_id):
                outcome = encode_result(_call(context, config, payload))
        except BaseException as error:  # noqa: BLE001 - a thread reports whatever ended the step, sys.exit included
            outcome = error
    with suppress(RuntimeError):  # the loop is closed: the journal knows the step as started
        host.env.loop.call_soon_threadsafe(host.step_returned, attempt, outcome)
