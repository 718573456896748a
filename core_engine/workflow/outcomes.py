"""What the run writes down about its steps: starts, results, failures, lines, popups and the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from core_engine.kernel.component import Execution, StepPolicy
from core_engine.kernel.payload import Payload
from core_engine.workflow import records as r
from core_engine.workflow.environment import Environment
from core_engine.workflow.failures import describe, error_payload
from core_engine.workflow.journal import encode_payload
from core_engine.workflow.recording import RecordedRun
from core_engine.workflow.retry import ruled_out, wait_seconds, worth_retrying
from core_engine.workflow.state import RunState
from core_engine.workflow.steps import MOST_LOG_CHARS, MOST_LOG_LINES, Attempt, StepContext
from core_engine.workflow.usage import Spending
from shared.errors import ErrorCode

_MOST_POPUPS = 1000
_MOST_CRASHES = 3
_EFFECT_MAY_HAVE_HAPPENED = "whether its effect happened is not known; look before running it again"


class Known(NamedTuple):
    """What is known of a failed attempt: its payload, and the secret values it used, as far as it got."""

    payload: Payload | None
    secrets: Sequence[str]


NOTHING = Known(None, ())


class NotedRun(RecordedRun):
    """A run that knows how each thing that happens to a step is recorded."""

    __slots__ = ("_ahead", "_log_full")

    def __init__(self, number: int, state: RunState, env: Environment, written: int) -> None:
        super().__init__(number, state, env, written)
        self._log_full = False
        # the short step that runs right now, as long as its start is not recorded: node, attempt, time
        self._ahead: tuple[int, int, int] | None = None

    def await_retry(self, node: int, seconds: float) -> None:
        """Have a failed step tried again after a wait."""
        raise NotImplementedError

    def note_log(self, context: StepContext, level: str, message: str) -> None:
        """Record a line a step wrote, within the run's limit."""
        state = self.state
        if not context.open or self._log_full or state.log_lines > MOST_LOG_LINES:
            return
        if state.log_lines == MOST_LOG_LINES or state.log_chars > MOST_LOG_CHARS:
            self._log_full = True
            level, message = "WARN", "Log limit reached: further lines of this run are dropped."
        node = context.node
        self.record_ahead()
        self.record(r.LogWritten(state.next_seq, self.now(), node.index, level, node.label, message))

    def note_popup(self, context: StepContext, title: str, content: bytes, config: dict[str, Any]) -> None:
        """Record a popup a step shows, within the run's limit."""
        state, node = self.state, context.node
        if context.open and state.popups < _MOST_POPUPS:
            self.record_ahead()
            raw = msgspec.Raw(content)
            self.record(r.PopupShown(state.next_seq, self.now(), node.index, title, raw, config))

    def note_spending(self, context: StepContext, spending: Spending) -> None:
        """Record what a step used, also when the attempt was given up meanwhile: it is paid for all the same."""
        if self.finished or self.left:
            return
        if context.open:
            self.record_ahead()
        state = self.state
        self.record(spending.record(state.next_seq, self.now(), context.node.index, context.attempt))

    def record_start(self, attempt: Attempt) -> None:
        """Record that an attempt may run."""
        attempt.started = self.state.next_seq
        self._record_start(attempt.node.index, attempt.number, self.now(), attempt.policy)

    def record_ahead(self) -> None:
        """Record the start of the short step that runs right now, because it does something before its end."""
        if self._ahead:
            node, number, at = self._ahead
            self._ahead = None
            self._record_start(node, number, at, StepPolicy.REPEATABLE)

    def _record_start(self, node: int, number: int, at: int, policy: StepPolicy) -> None:
        self.record(r.StepStarted(self.state.next_seq, at, node, number, self.env.epoch, policy.value))

    def finish(self, node: int, outputs: dict[str, bytes], ms: float) -> None:
        """Record a step's result and open the connections of its ports."""
        state = self.state
        taken = state.graph.route(node, outputs)
        stored = state.store(outputs)
        number = state.planner.attempts[node]
        self.record(r.StepFinished(state.next_seq, self.now(), node, number, ms, stored, taken))

    def fail(self, node: int, error: BaseException, known: Known, ms: float) -> None:
        """Record that an attempt failed, and have it tried again where the policy allows that."""
        state, now = self.state, self.now()
        code, text = describe(error, (*known.secrets, *self.env.secrets()))
        policy = state.graph.nodes[node].retry
        again = worth_retrying(error) and not ruled_out(policy, code, text)
        if not (again and state.planner.may_retry(node)):
            self.fail_for_good(node, code, text, known, ms)
            return
        wait = wait_seconds(policy, state.planner.failures[node] + 1, self.env.rng)
        number, retry_at = state.planner.attempts[node], now + int(wait * 1000)
        self.record(r.StepFailed(state.next_seq, now, node, number, ms, code, text, retry_at, {}, ()))
        self.await_retry(node, wait)

    def fail_for_good(self, node: int, code: str, text: str, known: Known, ms: float) -> None:
        """Record that a step failed and is not tried again; its error port opens."""
        state = self.state
        number = state.planner.attempts[node]
        outputs, taken = self._error_route(node, code, text, known)
        self.record(
            r.StepFailed(state.next_seq, self.now(), node, number, ms, code, text, None, outputs, taken)
        )

    def unknown(self, node: int, what: str) -> None:
        """Record that nobody can tell whether a step's effect happened."""
        text = f"OUTCOME_UNKNOWN: {what}; {_EFFECT_MAY_HAVE_HAPPENED}."
        outputs, taken = self._error_route(node, "OUTCOME_UNKNOWN", text, NOTHING)
        number = self.state.planner.attempts[node]
        self.record(r.StepUnknown(self.state.next_seq, self.now(), node, number, text, outputs, taken))

    def lost(self, node: int, policy: StepPolicy, what: str, *, crash: bool) -> None:
        """Record that nobody knows how an attempt ended, and what its policy makes of that.

        ``what`` happened, as the beginning of a sentence; ``crash`` unless it was a clean stop.
        """
        if policy is StepPolicy.ONCE:
            self.unknown(node, what)
        elif crash and self.state.planner.crashes.get(node, 0) + 1 >= _MOST_CRASHES:
            text = f"{what}; that happened {_MOST_CRASHES} times, so it is not tried again."
            self.fail_for_good(node, ErrorCode.COMPONENT_FAILED.value, text, NOTHING, 0.0)
        else:
            self.record(r.StepInterrupted(self.state.next_seq, self.now(), node, crash))

    def cancelled(self, node: int, policy: StepPolicy, *, launched: bool) -> None:
        """Record that a stop of the run ended an attempt."""
        text = "The run's deadline has passed" if self.state.planner.overdue else "The run was stopped"
        if launched and self._is_thread(node):
            text = f"{text}; the step's thread cannot be interrupted, its result will be refused"
        if launched and policy is not StepPolicy.REPEATABLE:
            text = f"{text}; {_EFFECT_MAY_HAVE_HAPPENED}"
        number = self.state.planner.attempts[node]
        self.record(r.StepCancelled(self.state.next_seq, self.now(), node, number, f"{text}."))

    def _is_thread(self, node: int) -> bool:
        """Tell whether a node's steps run on a thread of this process, which nothing can interrupt."""
        found = self.state.graph.nodes[node]
        return found.component.execution is Execution.THREAD and not self.env.executor.sends(self, found)

    def _error_route(
        self, node: int, code: str, text: str, known: Known
    ) -> tuple[r.Outputs, tuple[int, ...]]:
        state = self.state
        taken = state.graph.error_route(node)
        if not taken:
            return {}, ()
        payload = error_payload(
            state.graph.nodes[node], code, text, state.planner.attempts[node], known.payload
        )
        return state.store({"error": encode_payload(payload)}), taken

    def note_progress(self, node: int, done: int, failed: int, total: int | None, running: int) -> None:
        """Record how far the runs of a waiting step are."""
        self.record(r.LoopProgressed(self.state.next_seq, self.now(), node, done, failed, total, running))

    def now(self) -> int:
        """Return Unix time in milliseconds."""
        return self.env.clock.now_ms()

    def ms_since(self, start: float) -> float:
        """Return the milliseconds since a monotonic time."""
        return round((self.env.clock.monotonic() - start) * 1_000_000) / 1000  # cheaper than to three places
