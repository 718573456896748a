"""What a run does beyond its connections: loops, rounds, joins that wait no longer, the final part, its times."""

from __future__ import annotations

import logging

import msgspec
from typing_extensions import override

from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import RaisedAlarm
from core_engine.workflow import records as r
from core_engine.workflow.environment import Environment
from core_engine.workflow.graph import ERROR_PORTS
from core_engine.workflow.journal import encode_payload
from core_engine.workflow.laps import MOST_LAPS
from core_engine.workflow.outcomes import NOTHING
from core_engine.workflow.planner import Verdict
from core_engine.workflow.results import result_of
from core_engine.workflow.state import RunState
from core_engine.workflow.timers import Timers
from core_engine.workflow.waits import WaitingRun
from shared.contract.run import RunMode, RunStatus

_LOG = logging.getLogger(__name__)
_PAYLOAD = msgspec.json.Decoder(Payload).decode
_CLOCK = 0


class FlowingRun(WaitingRun):
    """A run that follows its workflow's rules of flow.

    Every time it waits for follows from its records, so `tend` sets the timers after a start as in the life of the
    run.
    """

    __slots__ = ("_deadline_looked_at", "_moments", "_quiet_since")

    def __init__(self, number: int, state: RunState, env: Environment, written: int) -> None:
        super().__init__(number, state, env, written)
        self._moments = Timers(env)
        self._quiet_since = self.now()
        self._deadline_looked_at = False

    def cut_off(self, record: r.Record) -> None:
        """Record why everything ends, and interrupt what runs."""
        raise NotImplementedError

    def tend(self) -> None:
        """Set the timers of everything that is to happen at a time."""
        if not self.state.graph.timed or self.held or self.finished:
            return
        planner, put = self.state.planner, self._moments.put
        for node, due in planner.joins.items():
            put(("join", node), due, self._join_over)
        for node, due in planner.naps.items():
            put(("nap", node), due, self._nap_over)
        if planner.asleep is not None:
            put(("round", planner.round), planner.asleep, self._round_due)
        if planner.finale and planner.limited:
            limit = self.state.graph.flow.settings.finally_seconds
            put(("finally", _CLOCK), planner.finale.at + int(limit * 1000), self._finally_over)
        if self.state.graph.flow.watched:
            self._watch()

    def remind(self) -> None:
        """Tell of the alarms raised before this start, because whoever hears of them may not have acted."""
        for alarm in self.state.alarms:
            self._tell(alarm)

    @override
    def next_due(self) -> int | None:
        times = (time for time in (super().next_due(), self._moments.next_due()) if time is not None)
        return min(times, default=None)

    @override
    def cancel_waits(self) -> None:
        super().cancel_waits()
        self._moments.clear()

    @override
    def finish(self, node: int, outputs: dict[str, bytes], ms: float) -> None:
        if not self.loops_on(node, self.state.planner.attempts[node], outputs, ms):
            super().finish(node, outputs, ms)

    def loops_on(self, node: int, attempt: int, outputs: dict[str, bytes], ms: float) -> bool:
        """Record that a looping node ran well and runs again; False when it does not."""
        state, rule = self.state, self.state.graph.nodes[node].lap
        if rule is None:
            return False
        port = next(iter(outputs), None)
        if port is None or port in ERROR_PORTS:
            return False
        done = state.planner.iterations.get(node, 0) + 1
        if not rule.again(done, _PAYLOAD(outputs[port]) if rule.condition else Payload()):
            return False
        if done >= MOST_LAPS:
            self.record_ahead()
            text = f"LOOP_LIMIT: The loop has not ended after {MOST_LAPS:,} iterations."
            self.fail_for_good(node, "LOOP_LIMIT", text, NOTHING, ms)
            return True
        now, sleep = self.now(), 0.0
        if state.mode is not RunMode.SIMULATE:
            sleep = rule.sleep_seconds(self.env.rng)
        until = now + int(sleep * 1000) if sleep else None
        stored = state.store(outputs)
        self.record(r.StepLooped(state.next_seq, now, node, attempt, done - 1, ms, stored, until))
        return True

    def end_if_done(self) -> None:
        """Once nothing is left to do, record the next round, the final part or the end of the run."""
        state, planner = self.state, self.state.planner
        verdict = planner.verdict()
        if verdict is None or self.finished:
            return
        more_rounds = planner.round + 1 < state.graph.flow.rounds
        if planner.finale is None and verdict.status is RunStatus.SUCCEEDED and more_rounds:
            self._begin_round()
        elif planner.finale is None and planner.kept:
            self._begin_finally(verdict)
        else:
            self.record(r.RunFinished(state.next_seq, self.now(), str(verdict.status), verdict.error))
            state.result_row = result_of(state)
            self._moments.clear()

    def _begin_round(self) -> None:
        state, now, flow = self.state, self.now(), self.state.graph.flow
        delay = 0.0 if state.mode is RunMode.SIMULATE else flow.delay_seconds(self.env.rng)
        until = now + int(delay * 1000) if delay else None
        number = state.planner.round + 1
        self.record(r.RoundStarted(state.next_seq, now, number, flow.rounds, until, state.status.value))
        self.env.wake(self)

    def _begin_finally(self, verdict: Verdict) -> None:
        state = self.state
        report = {
            "status": verdict.status.value,
            "error": verdict.error,
            "failed_nodes": state.failed_nodes(),
        }
        payload = state.payloads.store(encode_payload(Payload(report)))
        paused = RunStatus.PAUSED if state.planner.paused else RunStatus.RUNNING
        self.record(
            r.FinallyStarted(
                state.next_seq, self.now(), verdict.status.value, verdict.error, payload, paused.value
            )
        )
        self.env.wake(self)

    def _join_over(self, node: int) -> None:
        state = self.state
        due = state.planner.joins.get(node)
        if self.held or due is None or self.now() < due:
            return
        rule = state.graph.nodes[node].join
        if rule.on_timeout == "fail":
            text = f"JOIN_TIMEOUT: Inputs were still missing {rule.timeout_seconds:g} s after the first one."
            self.fail_for_good(node, "JOIN_TIMEOUT", text, NOTHING, 0.0)
        else:
            self.record(r.JoinExpired(state.next_seq, self.now(), node))
        self.env.wake(self)

    def _nap_over(self, node: int) -> None:
        due = self.state.planner.naps.get(node)
        if not self.held and due is not None and due <= self.now():
            self.state.planner.nap_over(node)
            self.env.wake(self)

    def _round_due(self, number: int) -> None:
        if not self.held and number == self.state.planner.round:
            self.state.planner.rouse()
            self.env.wake(self)

    def _finally_over(self, _: int) -> None:
        if not (self.held or self.finished):
            self.cut_off(r.StopRequested(self.state.next_seq, self.now(), "engine"))

    def _watch(self) -> None:
        """Set the timers of the deadline and of the alarms."""
        state, known, start = self.state, self.state.graph.flow.settings, self.state.accepted.at
        if known.deadline_seconds and not self._deadline_looked_at:
            self._moments.put(
                ("deadline", _CLOCK), start + int(known.deadline_seconds * 1000), self._deadline_over
            )
        raised = {alarm.kind for alarm in state.alarms}
        if known.alarm_after_seconds and "late" not in raised:
            self._moments.put(("late", _CLOCK), start + int(known.alarm_after_seconds * 1000), self._late)
        if known.stuck_after_seconds and "stuck" not in raised and ("stuck", _CLOCK) not in self._moments:
            self._moments.put(("stuck", _CLOCK), self._stuck_at(known.stuck_after_seconds), self._stuck)

    def _deadline_over(self, _: int) -> None:
        self._deadline_looked_at = True
        finale = self.state.planner.finale
        if self.held or self.finished or (finale and finale.status != RunStatus.SUCCEEDED.value):
            return
        seconds = self.state.graph.flow.settings.deadline_seconds
        error = f"DEADLINE_EXCEEDED: The run took longer than {seconds:g} s."
        self.cut_off(r.DeadlinePassed(self.state.next_seq, self.now(), error))

    def _late(self, _: int) -> None:
        seconds = self.state.graph.flow.settings.alarm_after_seconds
        if not (self.held or self.finished):
            self._raise("late", f"The run has not ended after {seconds:g} s.")

    def _stuck_at(self, seconds: float) -> int:
        return max(self.state.last_at, self._quiet_since) + int(seconds * 1000)

    def _stuck(self, _: int) -> None:
        seconds = self.state.graph.flow.settings.stuck_after_seconds
        if self.held or self.finished or seconds is None:
            return
        if self._rests():
            self._quiet_since = self.now()
        if self.now() >= self._stuck_at(seconds):
            self._raise("stuck", f"Nothing has happened in the run for {seconds:g} s.")
        else:
            self.tend()

    def _rests(self) -> bool:
        """Whether it is right that nothing happens: the run is paused, or all there is to do waits for something."""
        planner = self.state.planner
        waits = planner.waits or planner.naps or planner.retries or planner.joins or planner.at_breakpoints()
        return planner.paused or planner.asleep is not None or (bool(waits) and not planner.running())

    def _raise(self, kind: str, message: str) -> None:
        state = self.state
        alarm = r.AlarmRaised(state.next_seq, self.now(), kind, message)
        self.record(alarm)
        _LOG.warning("A run raises an alarm.", extra={"run": self.id, "alarm": kind, "reason": message})
        self._tell(alarm)

    def _tell(self, alarm: r.AlarmRaised) -> None:
        accepted, settings = self.state.accepted, self.state.graph.flow.settings
        self.env.alarm(
            RaisedAlarm(
                run_id=self.id,
                kind=alarm.kind,
                message=alarm.message,
                preset=settings.alarm_preset,
                mode=self.state.mode,
                started_by=accepted.started_by,
                preset_name=accepted.preset,
                origin=accepted.origin,
            )
        )
