"""Decides what may run next: a state machine over journal records, without I/O, clock or chance.

Feed it every record with `apply`, in order, live and after a crash alike; then ask `next_ahead` and
`next_claim` for nodes that may start, and `verdict` for how the run ends once nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from core_engine.kernel.suspension import Ending
from core_engine.workflow import records as r
from core_engine.workflow.graph import Graph
from core_engine.workflow.halts import Halts
from core_engine.workflow.standing import UNSTARTED, Standing
from shared.contract.run import NodeStatus, RunStatus

# on Python 3.11 naming an enum member costs a call each time, so the loops use names of their own
_PENDING, _RUNNING, _RETRYING = NodeStatus.PENDING, NodeStatus.RUNNING, NodeStatus.RETRYING
_SUCCESS, _ERROR, _SKIPPED = NodeStatus.SUCCESS, NodeStatus.ERROR, NodeStatus.SKIPPED
_CANCELLED, _OUTCOME_UNKNOWN = NodeStatus.CANCELLED, NodeStatus.OUTCOME_UNKNOWN
_WAITING = NodeStatus.WAITING
_ASKED_AGAIN = frozenset({Ending.TIMEOUT.value, Ending.ENDED.value})


class Verdict(NamedTuple):
    """How a run ends; ``error`` tells of the first failure that no error port handled."""

    status: RunStatus
    error: str | None


class Planner(Standing):
    """The state of one run, and what each record does to it.

    A node becomes ready when each incoming connection is live or dead and at least one is live; its join may say
    that some are enough, or that none is needed. A node with only dead ones is skipped, which makes its own
    connections dead. Nodes marked ``finally`` are left alone until `FinallyStarted`; from there on ``open`` counts
    them, and what the main part came to is kept; ``limited`` says that the main part was cut off.
    """

    def __init__(self, graph: Graph, *, start: int | None, ahead: Sequence[bool]) -> None:
        """Take the graph; ``start`` limits the run to what is downstream of one node, ``ahead`` see `next_ahead`."""
        super().__init__(graph, start=start, ahead=ahead)
        self.at = 0
        self.finale: r.FinallyStarted | None = None
        self.limited = False
        self._main: Verdict | None = None
        self.halts = Halts()
        self._error: str | None = None
        self._overdue: str | None = None

    def apply(self, record: r.Record) -> None:
        """Take note of what happened."""
        self.at = record.at
        handler = self._HANDLERS.get(type(record))
        if handler:
            handler(self, record)

    def verdict(self) -> Verdict | None:
        """Return how the run ends, or None while something is left to do; what runs finally is not looked at.

        Once the final part runs, its failure matters only where the main part went well.
        """
        if self.open:
            return None
        if self._main and self._main.status is not RunStatus.SUCCEEDED:
            return self._main
        error = self._overdue or self._error
        if self.stopping and not self._overdue:
            return Verdict(RunStatus.STOPPED, None)
        return Verdict(RunStatus.FAILED if error else RunStatus.SUCCEEDED, error)

    @property
    def overdue(self) -> bool:
        """Whether a missed deadline ended everything."""
        return self._overdue is not None

    def _started(self, record: r.StepStarted) -> None:
        node = record.node
        self._queued[node] = 0
        self.retries.pop(node, None)
        self.naps.pop(node, None)
        self.status[node] = _RUNNING
        self.attempts[node] = record.attempt

    def ran(self, record: r.StepRan) -> None:
        """Take note that a short step started and ended well; the same as `apply`."""
        node = record.node
        self.at = record.at
        self._queued[node] = 0
        if self.retries:
            self.retries.pop(node, None)
        if self.naps:
            self.naps.pop(node, None)
        self.attempts[node] = record.attempt
        self._end(node, _SUCCESS, record.taken)

    def _finished(self, record: r.StepFinished) -> None:
        self._end(record.node, _SUCCESS, record.taken)

    def _passed(self, record: r.StepPassed) -> None:
        self._queued[record.node] = 0
        self._end(record.node, _SKIPPED, record.taken)

    def _failed(self, record: r.StepFailed) -> None:
        node = record.node
        self.failures[node] += 1
        if record.retry_at is None:
            self._fail(node, _ERROR, record.error, record.taken)
        elif self.stopping:
            self._end(node, _ERROR, ())
        else:
            self.status[node] = _RETRYING
            self.retries[node] = record.retry_at
            answer = self.answers.get(node)
            if answer and answer.ending in _ASKED_AGAIN:
                del self.answers[node]  # the next attempt asks again

    def _unknown(self, record: r.StepUnknown) -> None:
        self._fail(record.node, _OUTCOME_UNKNOWN, record.error, record.taken)

    def _fail(self, node: int, status: NodeStatus, error: str, taken: tuple[int, ...]) -> None:
        if not taken and self._error is None:
            self._error = f"{self.graph.nodes[node].label}: {error}"
        self._end(node, status, taken)

    def _interrupted(self, record: r.StepInterrupted) -> None:
        node = record.node
        if record.crash:
            self.crashes[node] = self.crashes.get(node, 0) + 1
        if self.stopping:
            self._end(node, _CANCELLED, ())
        else:
            self.status[node] = _PENDING
            self._queue(node)

    def _suspended(self, record: r.StepSuspended) -> None:
        self.status[record.node] = _WAITING
        self.waits[record.node] = record
        self.answers.pop(record.node, None)
        self.crashes.pop(record.node, None)  # it got on: a long loop may outlive many crashes

    def _answered(self, record: r.StepResumed) -> None:
        self.waits.pop(record.node, None)
        self.answers[record.node] = record
        self._queue(record.node)

    def _cancelled(self, record: r.StepCancelled) -> None:
        self._queued[record.node] = 0  # its wait may have been answered, so that it stood in line
        self._end(record.node, _CANCELLED, ())

    def _seeded(self, record: r.StepSeeded) -> None:
        node, status = record.node, NodeStatus(record.status)
        if self.status[node] is not _PENDING:
            return  # what led to it was left out too
        self._queued[node] = 0
        if status is _ERROR:
            self._fail(node, status, record.error or "", record.taken)
        else:
            self._end(node, status, record.taken)

    def at_breakpoints(self) -> list[int]:
        """Return the connections at which data waits; one whose node starts without it does not count."""
        return [edge for edge in self.halts.held if self._awaits(self.graph.targets[edge])]

    def _awaits(self, node: int) -> bool:
        return self.status[node] is _PENDING and not self._queued[node]

    def _let_pass(self, record: r.BreakpointsPassed) -> None:
        for edge in self.halts.release(record):
            target = self.graph.targets[edge]
            self._waiting[target] -= 1
            if self._awaits(target):
                self._arrive(edge, target)

    def _arrive(self, edge: int, target: int) -> None:
        graph, live = self.graph, self.live[target]
        live.append(edge)
        if self._waiting[target] == 0 or len(live) == graph.enough[target]:
            self._queue(target)
        elif target in graph.expiring and target not in self.joins:
            self.joins[target] = self.at + graph.expiring[target]

    def _set_halts(self, record: r.BreakpointsSet) -> None:
        self.halts.set(record.edges)

    def _hit(self, record: r.BreakpointHit) -> None:
        self.halts.held[record.edge] = True

    def _stop(self, _record: r.Record) -> None:
        self.stopping = True
        self.paused = False
        self.retries.clear()
        self.waits.clear()
        self.halts.held.clear()
        for node, status in enumerate(self.status):
            if (status in UNSTARTED or node in self.naps) and node not in self.kept:
                self.status[node] = _CANCELLED
                self._queued[node] = 0
                self.open -= 1
        self.naps.clear()
        self.joins.clear()
        self.asleep = None

    def _deadline(self, record: r.DeadlinePassed) -> None:
        self._overdue = record.error
        self._stop(record)

    def _looped(self, record: r.StepLooped) -> None:
        node = record.node
        self._queued[node] = 0
        self.attempts[node] = self.failures[node] = 0
        for known in (self.retries, self.naps, self.crashes, self.answers):
            known.pop(node, None)
        self.iterations[node] = record.iteration + 1
        if record.until is None:
            self.status[node] = _PENDING
            self._queue(node)
        else:
            self.status[node] = _WAITING
            self.naps[node] = record.until

    def _join_expired(self, record: r.JoinExpired) -> None:
        node = record.node
        self.joins.pop(node, None)
        if self.status[node] is _PENDING and not self._queued[node]:
            self._queue(node)

    def _round_started(self, record: r.RoundStarted) -> None:
        self._begin()
        self.halts.held.clear()  # what a join went on without
        self.round = record.number
        self.asleep = record.until

    def _finally_started(self, record: r.FinallyStarted) -> None:
        self.finale = record
        self._main = Verdict(RunStatus(record.status), record.error)
        self.limited = self.stopping
        self.stopping = False
        self._error = self._overdue = None
        self._release_kept()

    def _pause(self, _record: r.RunPaused) -> None:
        self.paused = True

    def _resume(self, _record: r.RunResumed) -> None:
        self.paused = False

    def _end(self, node: int, status: NodeStatus, taken: Sequence[int]) -> None:
        """Settle a node for good and tell its successors, as far as that reaches."""
        self.status[node] = status
        self.open -= 1
        if self.stopping:
            return
        if self.joins:
            self.joins.pop(node, None)
        skipped = self._resolve(node, taken)
        while skipped:
            node = skipped.pop()
            self.status[node] = _SKIPPED
            self.open -= 1
            skipped += self._resolve(node, ())

    def _resolve(self, node: int, taken: Sequence[int]) -> list[int]:
        """Make a node's connections live or dead; return the nodes that can never run now."""
        graph, waiting, queued, halts = self.graph, self._waiting, self._queued, self.halts
        skipped: list[int] = []
        for edge in graph.outgoing[node]:
            target = graph.targets[edge]
            if halts.active and edge in taken and self._awaits(target) and halts.stops(edge):
                continue
            waiting[target] -= 1
            if queued[target] or self.status[target] is not _PENDING:
                continue
            if edge in taken:
                self._arrive(edge, target)
            elif waiting[target] == 0:
                if self.live[target] or target in graph.always:
                    self._queue(target)
                else:
                    skipped.append(target)
        return skipped

    _HANDLERS: ClassVar[dict[type[r.Record], Callable[[Planner, Any], None]]] = {
        r.StepStarted: _started,
        r.StepRan: ran,
        r.StepFinished: _finished,
        r.StepPassed: _passed,
        r.StepFailed: _failed,
        r.StepUnknown: _unknown,
        r.StepInterrupted: _interrupted,
        r.StepCancelled: _cancelled,
        r.StopRequested: _stop,
        r.RunPaused: _pause,
        r.RunResumed: _resume,
        r.StepSuspended: _suspended,
        r.StepResumed: _answered,
        r.StepLooped: _looped,
        r.JoinExpired: _join_expired,
        r.RoundStarted: _round_started,
        r.FinallyStarted: _finally_started,
        r.DeadlinePassed: _deadline,
        r.StepSeeded: _seeded,
        r.BreakpointsSet: _set_halts,
        r.BreakpointHit: _hit,
        r.BreakpointsPassed: _let_pass,
    }
