"""Steps that wait without running: put aside, and set going again by an answer or when their time has come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from typing_extensions import override

from core_engine.kernel.family import RunsOutcome
from core_engine.kernel.payload import Payload
from core_engine.kernel.suspension import EVENT, RUNS, Answer, AwaitedEvent, Ending, SignedAnswer, Suspend
from core_engine.storage import EventWaitRow
from core_engine.workflow import records as r
from core_engine.workflow.children import SPEC, encode_spec, outcome_record
from core_engine.workflow.environment import Environment
from core_engine.workflow.failures import mask
from core_engine.workflow.journal import encode_payload
from core_engine.workflow.outcomes import Known, NotedRun
from core_engine.workflow.state import RunState
from core_engine.workflow.steps import LONGEST_LOG, LONGEST_TITLE, clean_text
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id

LONGEST_NAP = 60.0
"""Seconds after which a timer looks at the wall clock again, because that may have been set meanwhile."""


class WaitingRun(NotedRun):
    """A run with steps put aside: each holds its record in the state, and a timer if it waits for a time."""

    __slots__ = ("_adopting", "_due", "_expecting", "held")

    def __init__(self, number: int, state: RunState, env: Environment, written: int) -> None:
        super().__init__(number, state, env, written)
        self.held = False
        self._due: dict[int, asyncio.TimerHandle] = {}
        self._expecting: list[int] = []
        self._adopting: list[int] = []

    def suspend(self, node: int, wait: Suspend, secrets: Sequence[str]) -> None:
        """Record that a step waits; its slot is free for others."""
        state, now = self.state, self.now()
        number, hidden = state.planner.attempts[node], (*secrets, *self.env.secrets())
        prompt = _shown(wait.prompt, hidden)
        until, wait_id, signal = wait.due(now), new_id(), wait.signal
        runs, event = None, None
        if wait.event:
            signal, event = EVENT, asdict(wait.event)
            self._note_event(node, wait.event, wait_id, until)
        if wait.runs:
            try:
                runs, signal = {SPEC: state.payloads.store(encode_spec(wait.runs))}, RUNS
            except (TypeError, ValueError, RecursionError) as error:  # items that are no JSON values
                self.fail(node, error, Known(None, secrets), 0.0)
                return
            self._expecting.append(node)
        self.record(
            r.StepSuspended(state.next_seq, now, node, number, wait_id, until, signal, prompt, runs, event)
        )
        self.await_due(node)

    def end_runs(self, node: int, outcome: RunsOutcome, digest: str) -> None:
        """Record that the runs a step waited for have ended, and how."""
        state, ending = self.state, Ending.ENDED.value
        number, kept = state.planner.attempts[node], outcome_record(outcome, digest)
        text = f"{outcome.succeeded} of {outcome.count} well"
        seq, now = state.next_seq, self.now()
        self.record(r.StepResumed(seq, now, node, number, ending, None, text, None, kept))
        self.env.wake(self)

    @override
    def on_cut(self) -> None:
        super().on_cut()
        self._adopting, self._expecting = self._expecting, []

    @override
    def on_synced(self) -> None:
        super().on_synced()
        adopting, self._adopting = self._adopting, []
        for node in adopting:
            self.env.family.begin(self, node)
        self.env.family.look(self)

    def answer(self, node_id: str, signal: str, signed: SignedAnswer) -> None:
        """Take the answer to a step's request; raises NOT_FOUND, or CONFLICT when it does not wait for one."""
        if self.held:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "The engine is shutting down.")
        planner = self.state.planner
        node = self.state.graph.by_id.get(node_id)
        if node is None:
            raise FloworkError(ErrorCode.NOT_FOUND, f"Run {self.id} has no node {node_id}.")
        wait = planner.waits.get(node)
        if wait is None or wait.signal != signal:
            raise FloworkError(ErrorCode.CONFLICT, self._why_not(node, node_id, signal))
        if signed.approval_id not in {None, wait.wait_id}:
            message = f"Node {node_id} waits for an answer to another request, {wait.wait_id}."
            raise FloworkError(ErrorCode.CONFLICT, message)
        proof = {
            "message": signed.message,
            "signature": signed.signature,
            "signer": signed.signer,
            "bound": signed.bound,
            "payload": signed.payload,
        }
        self._end_wait(node, signed.answer, proof)

    def take_event(self, node_id: str, wait_id: str, data: Any) -> bool:
        """End a step's wait for an event; False when it does not wait (any more). Raises ENGINE_UNAVAILABLE."""
        if self.held:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "The engine is shutting down.")
        node = self.state.graph.by_id.get(node_id)
        wait = None if node is None else self.state.planner.waits.get(node)
        if node is None or wait is None or wait.event is None or wait.wait_id != wait_id:
            return False
        content = self.state.store({"data": encode_payload(Payload(data))})
        self._end_wait(node, Answer(Ending.EVENT), None, content)
        return True

    def await_due(self, node: int) -> None:
        """Set the timer of a step that waits for a time."""
        wait = self.state.planner.waits.get(node)
        if wait and wait.until is not None:
            left = max(wait.until - self.now(), 0) / 1000
            self._due[node] = self.env.loop.call_later(min(left, LONGEST_NAP), self._look_at_clock, node)

    def next_due(self) -> int | None:
        """Return when time will next do something to the run, in Unix milliseconds; None: never by itself."""
        times = (wait.until for wait in self.state.planner.waits.values() if wait.until is not None)
        return min(times, default=None)

    def cancel_waits(self) -> None:
        """Let no time come any more in this process."""
        for timer in self._due.values():
            timer.cancel()
        self._due.clear()

    def _look_at_clock(self, node: int) -> None:
        del self._due[node]
        wait = self.state.planner.waits.get(node)
        if self.held or wait is None or wait.until is None:
            return
        if self.now() < wait.until:
            self.await_due(node)
        else:
            self._end_wait(node, Answer(Ending.TIMEOUT if wait.signal else Ending.DUE), None)

    def forget_event(self, node: int) -> None:
        """Let no event find a step any more; it leaves with the next record."""
        name = self.state.graph.nodes[node].id
        self._event_waits = [row for row in self._event_waits if row.node != name]
        self._ended_waits.append((self.id, name))

    def _note_event(self, node: int, event: AwaitedEvent, wait_id: str, until: int | None) -> None:
        name = self.state.graph.nodes[node].id
        found = EventWaitRow(
            event.token, self.id, name, wait_id, event.name, event.correlation or None, until
        )
        self._event_waits.append(found)

    def _end_wait(
        self, node: int, answer: Answer, proof: dict[str, Any] | None, brought: r.Outputs | None = None
    ) -> None:
        timer = self._due.pop(node, None)
        if timer:
            timer.cancel()
        if self.state.planner.waits[node].event:
            self.forget_event(node)
        state, comment = self.state, clean_text(answer.comment)
        number, ending = state.planner.attempts[node], answer.ending.value
        self.record(
            r.StepResumed(
                state.next_seq, self.now(), node, number, ending, answer.by, comment, proof, None, brought
            )
        )
        self.env.wake(self)

    def _why_not(self, node: int, node_id: str, signal: str) -> str:
        text = f"Node {node_id} of run {self.id} does not wait for an {signal}"
        earlier = self.state.planner.answers.get(node)
        if earlier and earlier.by:
            return f"{text}: it was {earlier.ending} by {earlier.by}."
        return f"{text} any more: its time ran out." if earlier else f"{text}."


def given_answer(run: WaitingRun, record: r.StepResumed | None) -> Answer | None:
    """Return what ended a wait as the component is told it."""
    if record is None:
        return None
    runs = run.env.family.outcome(run, record) if record.outcome else None
    data = run.state.payloads.load(record.brought["data"]).data if record.brought else None
    return Answer(Ending(record.ending), record.by, record.comment, runs, data)


def _shown(prompt: Mapping[str, str] | None, secrets: Sequence[str]) -> dict[str, str] | None:
    """Return what may be shown and kept of a prompt: its title and message, bounded, without secret values."""
    if prompt is None:
        return None
    bounds = {"title": LONGEST_TITLE, "message": LONGEST_LOG}
    return {name: clean_text(mask(prompt.get(name, ""), secrets)[:most]) for name, most in bounds.items()}
