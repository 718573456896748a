"""Decides what may run next: a state machine over journal records, without I/O, clock or chance.

Feed it every record with `apply`, in order, live and after a crash alike; then ask `next_ahead` and
`next_claim` for nodes that may start, and `verdict` for how the run ends once nothing is left to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from core_engine.kernel.suspension import Ending
from core_engine.workflow import records as r
from core_engine.workflow.graph import Graph
from shared.contract.run import NodeStatus, RunStatus

# on Python 3.11 naming an enum member costs a call each time, so the loops use names of their own
_PENDING, _RUNNING, _RETRYING = NodeStatus.PENDING, NodeStatus.RUNNING, NodeStatus.RETRYING
_SUCCESS, _ERROR, _SKIPPED = NodeStatus.SUCCESS, NodeStatus.ERROR, NodeStatus.SKIPPED
_CANCELLED, _OUTCOME_UNKNOWN = NodeStatus.CANCELLED, NodeStatus.OUTCOME_UNKNOWN
_WAITING = NodeStatus.WAITING
_IN_LINE, _HANDED_OUT = 1, 2
_UNSTARTED = frozenset({_PENDING, _RETRYING})
_UNENDED = _UNSTARTED | {_RUNNING}
_ASKED_AGAIN = frozenset({Ending.TIMEOUT.value, Ending.ENDED.value})


class Verdict(NamedTuple):
    """How a run ends; ``error`` tells of the first failure that no error port handled."""

    status: RunStatus
    error: str | None


class Planner:
    """The state of one run.

    A node becomes ready when each incoming connection is live or dead and at least one is live (``join: any``:
    at the first live one). A node with only dead ones is skipped, which makes its own connections dead.
    ``live`` holds the live incoming connections of each node, ``retries`` the due times of waiting retries,
    ``waits`` the steps put aside and ``answers`` what ended their waits; a step with an answer goes on where it
    was put aside.
    """

    def __init__(self, graph: Graph, *, start: int | None, ahead: Sequence[bool]) -> None:
        """Take the graph; ``start`` limits the run to what is downstream of one node, ``ahead`` see `next_ahead`."""
        self.graph = graph
        self.status = [_PENDING] * len(graph.nodes)
        self.live: list[list[int]] = [[] for _ in graph.nodes]
        self.attempts = [0] * len(graph.nodes)
        self.failures = [0] * len(graph.nodes)
        self.crashes: dict[int, int] = {}
        self.retries: dict[int, int] = {}
        self.waits: dict[int, r.StepSuspended] = {}
        self.answers: dict[int, r.StepResumed] = {}
        self.paused = self.stopping = False
        self.open = len(graph.nodes)
        self._ahead = ahead
        self._queued = bytearray(len(graph.nodes))
        self._ready_ahead: deque[int] = deque()
        self._ready_claim: deque[int] = deque()
        self._waiting = list(graph.in_degrees)
        self._error: str | None = None
        if start is not None:
            self._limit_to(start)
        for node, count in enumerate(self._waiting):
            if count == 0 and self.status[node] is _PENDING:
                self._queue(node)

    def apply(self, record: r.Record) -> None:
        """Take note of what happened."""
        handler = self._HANDLERS.get(type(record))
        if handler:
            handler(self, record)

    def next_ahead(self) -> int | None:
        """Return a ready node whose step may run before its start is journaled, or None for now."""
        return self._next(self._ready_ahead) if self._ready_ahead else None

    def next_claim(self) -> int | None:
        """Return a ready node whose start must be synced before its step runs, or None for now."""
        return self._next(self._ready_claim)

    def retry_due(self, node: int) -> None:
        """Say that a failed node's wait is over."""
        if self.retries.pop(node, None) is not None and not self.stopping:
            self._queue(node)

    def running(self) -> list[int]:
        """Return the nodes whose step was started and has not ended."""
        return [node for node, status in enumerate(self.status) if status is _RUNNING]

    def needs_input(self, node: int) -> bool:
        """Tell whether the node may still start, so that its inputs must be kept at hand."""
        return self.status[node] in _UNENDED

    def waiting(self) -> list[int]:
        """Return the nodes whose step was put aside and has not gone on yet."""
        return [node for node, status in enumerate(self.status) if status is _WAITING]

    def next_attempt(self, node: int) -> int:
        """Return the number of a ready node's next attempt; a step that goes on after its wait keeps its number."""
        return self.attempts[node] + (self.status[node] is not _WAITING)

    @property
    def has_claims(self) -> bool:
        """Whether some node could be claimed now."""
        return bool(self._ready_claim) and not (self.paused or self.stopping)

    def may_retry(self, node: int) -> bool:
        """Tell whether the node's policy allows another attempt after a failure now."""
        return not self.stopping and self.failures[node] + 1 < self.graph.nodes[node].retry.attempts

    def verdict(self) -> Verdict | None:
        """Return how the run ends, or None while something is left to do."""
        if self.open:
            return None
        if self.stopping:
            return Verdict(RunStatus.STOPPED, None)
        return Verdict(RunStatus.FAILED if self._error else RunStatus.SUCCEEDED, self._error)

    def _limit_to(self, start: int) -> None:
        """Leave everything out that is not downstream of the start; joins do not wait for what is left out."""
        graph = self.graph
        inside = graph.reachable(start)
        self.open = len(inside)
        for node in range(len(graph.nodes)):
            if node not in inside:
                self.status[node] = _SKIPPED
        for edge in graph.edges:
            if edge.source not in inside:
                self._waiting[edge.target] -= 1

    def _queue(self, node: int) -> None:
        self._queued[node] = _IN_LINE
        ahead = self._ahead[node] and node not in self.answers
        (self._ready_ahead if ahead else self._ready_claim).append(node)

    def _next(self, ready: deque[int]) -> int | None:
        if self.paused or self.stopping:
            return None
        while ready:
            node = ready.popleft()
            # a recovered line may still name a step that has waited since, and must be claimed to go on
            meant = node not in self.answers or ready is self._ready_claim
            if meant and self._queued[node] == _IN_LINE:
                self._queued[node] = _HANDED_OUT
                return node
        return None

    def _started(self, record: r.StepStarted) -> None:
        node = record.node
        self._queued[node] = 0
        self.retries.pop(node, None)
        self.status[node] = _RUNNING
        self.attempts[node] = record.attempt

    def ran(self, record: r.StepRan) -> None:
        """Take note that a short step started and ended well; the same as `apply`."""
        node = record.node
        self._queued[node] = 0
        if self.retries:
            self.retries.pop(node, None)
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

    def _answered(self, record: r.StepResumed) -> None:
        self.waits.pop(record.node, None)
        self.answers[record.node] = record
        self._queue(record.node)

    def _cancelled(self, record: r.StepCancelled) -> None:
        self._end(record.node, _CANCELLED, ())

    def _stop(self, _record: r.StopRequested) -> None:
        self.stopping = True
        self.paused = False
        self.retries.clear()
        self.waits.clear()
        for node, status in enumerate(self.status):
            if status in _UNSTARTED:
                self.status[node] = _CANCELLED
                self._queued[node] = 0
                self.open -= 1

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
        skipped = self._resolve(node, taken)
        while skipped:
            node = skipped.pop()
            self.status[node] = _SKIPPED
            self.open -= 1
            skipped += self._resolve(node, ())

    def _resolve(self, node: int, taken: Sequence[int]) -> list[int]:
        """Make a node's connections live or dead; return the nodes that can never run now."""
        graph, waiting, queued = self.graph, self._waiting, self._queued
        skipped: list[int] = []
        for edge in graph.outgoing[node]:
            target = graph.targets[edge]
            waiting[target] -= 1
            if queued[target] or self.status[target] is not _PENDING:
                continue
            if edge in taken:
                self.live[target].append(edge)
                if waiting[target] == 0 or graph.nodes[target].join_any:
                    self._queue(target)
            elif waiting[target] == 0:
                if self.live[target]:
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
    }
