"""One live run: asks the planner what may start, has it done, and records what happened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from typing_extensions import override

from core_engine.kernel.component import Execution, StepPolicy
from core_engine.kernel.payload import Payload
from core_engine.kernel.suspension import Suspend
from core_engine.workflow import records as r
from core_engine.workflow.debugging import DebuggedRun
from core_engine.workflow.environment import Environment
from core_engine.workflow.executor import StepLost
from core_engine.workflow.graph import Node
from core_engine.workflow.journal import encode_payload, encode_result
from core_engine.workflow.late_settings import launch_late
from core_engine.workflow.outcomes import Known
from core_engine.workflow.state import RunState
from core_engine.workflow.steps import Attempt, Outcome, StepContext, configure
from core_engine.workflow.waits import given_answer
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError

_LOG = logging.getLogger(__name__)
_INLINE_STRETCH = 64


class LiveRun(DebuggedRun):
    """A run in this process.

    Steps that may leave a trace are launched only when their start is in the journal; short repeatable ones run
    ahead of it.
    """

    def __init__(self, number: int, state: RunState, env: Environment, *, written: int = 0) -> None:
        """Take over a run of which the first ``written`` records are in the journal."""
        super().__init__(number, state, env, written)
        self.scheduled = False
        self.put_off = 0
        self.attempts: dict[int, Attempt] = {}
        self._claimed: list[Attempt] = []
        self._launching: list[Attempt] = []
        self._put_back: list[int] = []
        self._timers: dict[int, asyncio.TimerHandle] = {}

    @property
    def untried(self) -> bool:
        """Whether nothing has happened yet but the acceptance."""
        return self.state.records == 1

    def advance(self, deadline: float) -> bool:
        """Start what may start now; return whether short steps are left after the deadline (monotonic)."""
        more = not (self.held or self.finished) and self._advance(deadline)
        self.env.slots.pass_on()
        return more

    def _advance(self, deadline: float) -> bool:
        planner, nodes = self.state.planner, self.state.graph.nodes
        count = 0
        while (node := planner.next_ahead()) is not None:
            self._run_ahead(nodes[node])
            count += 1
            if count % _INLINE_STRETCH == 0 and self.env.clock.monotonic() > deadline:
                return True
        put_back, self._put_back = self._put_back, []
        for index in put_back:
            planner.give_again(index)
        while planner.has_claims and len(self.attempts) < self.env.parallel_per_run:
            if not self.env.slots.take(self):
                break
            self._claim()
        self.note_hits()
        self.end_if_done()
        self.tend()
        return False

    def stop(self, by: str) -> None:
        """Interrupt what runs and end the run; a final part that is limited anyway goes on."""
        planner = self.state.planner
        if not (planner.stopping or self.finished or (planner.finale and planner.limited)):
            self.cut_off(r.StopRequested(self.state.next_seq, self.now(), by))

    @override
    def cut_off(self, record: r.Record) -> None:
        self.record(record)
        self._cancel_timers()
        self.env.slots.leave(self)
        self.env.keys.leave(self)
        for attempt in list(self.attempts.values()):
            self._close(attempt)
            self.cancelled(attempt.node.index, attempt.policy, launched=attempt.launched)
        self._cancel_waiting()
        self.end_if_done()
        self.tend()

    def pause(self, by: str) -> None:
        """Start nothing more; what runs may finish."""
        if self.state.status is RunStatus.RUNNING:
            self.record(r.RunPaused(self.state.next_seq, self.now(), by))
            self.env.family.paused(self)

    def resume(self, by: str) -> None:
        """Go on after a pause."""
        if self.state.status is RunStatus.PAUSED:
            self.record(r.RunResumed(self.state.next_seq, self.now(), by))
            self.env.wake(self)
            self.env.family.resumed(self)

    def hold(self) -> None:
        """Start nothing more in this process; what was launched may finish."""
        self.held = True
        self._cancel_timers()
        self.env.slots.leave(self)
        self.env.keys.leave(self)
        for attempt in list(self.attempts.values()):
            if not attempt.launched:
                self._interrupt(attempt)

    def interrupt(self) -> None:
        """Cut off what runs because the engine ends; what may be repeated is noted so for the next start.

        What is carried out outside of the process goes on; the next start asks for it.
        A launched step that must not be repeated stays open in the journal: its outcome is unknown.
        """
        for attempt in list(self.attempts.values()):
            self._interrupt(attempt)

    def revive(self, policies: Mapping[int, StepPolicy]) -> None:
        """Go on after a start of the engine: settle what was under way when the last one ended."""
        planner = self.state.planner
        for node in planner.running():
            policy = policies[node]
            if planner.stopping:
                self.cancelled(node, policy, launched=True)
            elif not self._regain(node, policy):
                self.lost(node, policy, "The engine ended while this step ran", crash=True)
        if planner.stopping:
            self._cancel_waiting()
        for node, wait in planner.waits.items():
            self.await_due(node)
            if wait.runs:
                self.env.family.begin(self, node)
        for node, retry_at in list(planner.retries.items()):
            longest = self.state.graph.nodes[node].retry.max_delay_seconds * 2
            self.await_retry(node, min(max(retry_at - self.now(), 0) / 1000, longest))
        self.remind()
        self.env.wake(self)

    @override
    def on_cut(self) -> None:
        super().on_cut()
        self._launching, self._claimed = self._claimed, []

    @override
    def on_synced(self) -> None:
        super().on_synced()
        launching, self._launching = self._launching, []
        for attempt in launching:
            if self.attempts.get(attempt.node.index) is attempt and not self.held:
                self._launch(attempt)

    @override
    def refuse(self, error: FloworkError) -> None:
        super().refuse(error)
        self.hold()
        for attempt in list(self.attempts.values()):
            self._close(attempt)

    def step_returned(self, attempt: Attempt, outcome: Outcome) -> None:
        """Take the end of a launched step's code; the result of one that was given up is refused."""
        self._give_slot(attempt)
        node = attempt.node.index
        if self.attempts.get(node) is not attempt:
            _LOG.debug(
                "The result of an abandoned step is refused.", extra={"run": self.id, "node": attempt.node.id}
            )
            return
        del self.attempts[node]
        attempt.end()
        ms = self.ms_since(attempt.since)
        if isinstance(outcome, StepLost):
            self.lost(node, attempt.policy, outcome.what, crash=outcome.crash)
        elif isinstance(outcome, BaseException):
            self.fail(node, outcome, _known(attempt), ms)
        elif isinstance(outcome, Suspend):
            self.suspend(node, outcome, _known(attempt).secrets)
        else:
            self.finish(node, outcome, ms)
        self.env.wake(self)

    def _run_ahead(self, node: Node) -> None:
        state, index = self.state, node.index
        if index in state.aids.pins:
            self.use_pin(index, state.aids.pins[index])
            return
        if node.disabled:
            content = encode_payload(state.given(index).payload)
            outputs = state.store({"success": content})
            taken = state.graph.route(index, outputs)
            self.record(r.StepPassed(state.next_seq, self.now(), index, outputs, taken))
            return
        clock, number = self.env.clock, state.planner.attempts[index] + 1
        at, since = clock.now_ms(), clock.monotonic()
        self._ahead = (index, number, at)
        context = payload = None
        try:
            given = state.given(index)
            payload = given.payload
            context = StepContext(self, node, number, given)
            config = node.config or configure(self, context, payload)
            result = encode_result(node.component.call(context, config, payload))
        except Exception as error:  # noqa: BLE001 - whatever a component raises fails its step only
            self.record_ahead()
            self.fail(index, error, Known(payload, context.secrets if context else ()), self.ms_since(since))
        else:
            self._end_ahead(context, result, at, since)
        self._ahead = None
        if context:
            context.open = False

    def _end_ahead(
        self, context: StepContext, result: dict[str, bytes] | Suspend, at: int, since: float
    ) -> None:
        state, index = self.state, context.node.index
        ms = self.ms_since(since)
        if isinstance(result, Suspend):
            self.record_ahead()
            self.suspend(index, result, context.secrets)
        elif context.node.lap and self.loops_on(index, context.attempt, result, ms):
            return
        elif self._ahead:
            taken = state.graph.route(index, result)
            stored = state.store(result)
            self.record(r.StepRan(state.next_seq, at, index, context.attempt, ms, stored, taken))
        else:
            self.finish(index, result, ms)

    def _claim(self) -> None:
        """Record the start of the next step that has to wait for the journal; the caller took a slot for it."""
        index = self._next_claim()
        if index is None:
            self.env.slots.give()
            return
        node = self.state.graph.nodes[index]
        attempt = Attempt(node, self.state.planner.next_attempt(index), node.policy(self.state.mode))
        self.attempts[index] = attempt
        self._claimed.append(attempt)
        self.record_start(attempt)

    def _next_claim(self) -> int | None:
        """Return the next step whose key is free, taken for it; the others are looked at when theirs is."""
        while (index := self.state.planner.next_claim()) is not None:
            shared = self.state.graph.nodes[index].concurrency
            if shared is None or self.env.keys.take(self, shared.key, shared.most):
                return index
            self.state.planner.put_back(index)
            self._put_back.append(index)
        return None

    def _give_slot(self, attempt: Attempt) -> None:
        self.env.slots.give()
        if attempt.node.concurrency:
            self.env.keys.give(attempt.node.concurrency.key)

    def _launch(self, attempt: Attempt) -> None:
        attempt.launched = True
        attempt.since = self.env.clock.monotonic()
        node = attempt.node
        try:
            context, payload = self._prepare(attempt)
            seen = node.component.seen_by_settings(payload, context.answer)
            config = None if node.late else configure(self, context, seen)
        except Exception as error:  # noqa: BLE001 - unreadable inputs or settings fail this step only
            self.step_returned(attempt, error)
            return
        if not self.env.executor.sends(self, node):
            self._limit(attempt)
        if config is not None:
            self.env.executor.launch(self, attempt, context, config, payload)
        else:
            launch_late(self, attempt, context, payload, seen)

    def _regain(self, node: int, policy: StepPolicy) -> bool:
        """Follow an attempt on that is carried out outside of the engine's process and outlived it."""
        attempt = Attempt(self.state.graph.nodes[node], self.state.planner.attempts[node], policy)
        if not self.env.executor.sends(self, attempt.node):
            return False
        try:
            context, _payload = self._prepare(attempt)
        except FloworkError:  # the journal's payload cannot be read: the step is as good as lost
            return False
        if not self.env.executor.regains(self, attempt, context):
            return False
        attempt.launched = True
        attempt.since = self.env.clock.monotonic()
        self.attempts[node] = attempt
        self.env.slots.retake()
        if attempt.node.concurrency:
            self.env.keys.retake(attempt.node.concurrency.key)
        return True

    def step_began(self, attempt: Attempt) -> None:
        """Hear that a step that was sent away runs from now on: its time limit counts."""
        if self.attempts.get(attempt.node.index) is attempt:
            attempt.since = self.env.clock.monotonic()
            self._limit(attempt)

    def _limit(self, attempt: Attempt) -> None:
        node = attempt.node
        if node.timeout_seconds and node.component.execution is not Execution.INLINE:
            attempt.timer = self.env.loop.call_later(node.timeout_seconds, self._expire, attempt)

    def _prepare(self, attempt: Attempt) -> tuple[StepContext, Payload]:
        given = self.state.given(attempt.node.index)
        attempt.payload = given.payload
        answer = given_answer(self, self.state.planner.answers.get(attempt.node.index))
        attempt.context = context = StepContext(self, attempt.node, attempt.number, given, answer)
        return context, given.payload

    def _expire(self, attempt: Attempt) -> None:
        """End an attempt that took too long; a thread cannot be stopped, so its slot stays taken until it ends."""
        node = attempt.node
        self._close(attempt)
        text = f"The step took longer than {node.timeout_seconds:g} s"
        if self._is_thread(node.index):
            _LOG.warning("A step outlived its time limit.", extra={"run": self.id, "node": node.id})
        if attempt.policy is StepPolicy.ONCE:
            self.unknown(node.index, text)
        else:
            error = FloworkError(ErrorCode.DEADLINE_EXCEEDED, f"{text}.")
            self.fail(node.index, error, _known(attempt), self.ms_since(attempt.since))
        self.env.wake(self)

    def _interrupt(self, attempt: Attempt) -> None:
        outlives = self.env.executor.outlives(attempt)
        self._close(attempt)
        if outlives:
            return
        if attempt.policy is not StepPolicy.ONCE or not attempt.launched:
            self.record(r.StepInterrupted(self.state.next_seq, self.now(), attempt.node.index, False))

    def _close(self, attempt: Attempt) -> None:
        del self.attempts[attempt.node.index]
        attempt.end()
        if not attempt.launched:
            self._give_slot(attempt)

    @override
    def await_retry(self, node: int, seconds: float) -> None:
        self._timers[node] = self.env.loop.call_later(seconds, self._retry, node)

    def _retry(self, node: int) -> None:
        self._timers.pop(node, None)
        self.state.planner.retry_due(node)
        self.env.wake(self)

    def _cancel_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self.cancel_waits()

    def _cancel_waiting(self) -> None:
        for node in self.state.planner.waiting():
            if self.state.graph.nodes[node].component.awaits_events:
                self.forget_event(node)
            self.cancelled(node, StepPolicy.REPEATABLE, launched=False)


def _known(attempt: Attempt) -> Known:
    return Known(attempt.payload, attempt.context.secrets if attempt.context else ())
