"""Where the nodes of a run stand, and the lines of those that are ready: what the planner keeps."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from core_engine.workflow import records as r
from core_engine.workflow.graph import Graph
from shared.contract.run import NodeStatus

# on Python 3.11 naming an enum member costs a call each time, so the loops use names of their own
_PENDING, _RUNNING, _RETRYING = NodeStatus.PENDING, NodeStatus.RUNNING, NodeStatus.RETRYING
_SKIPPED, _WAITING = NodeStatus.SKIPPED, NodeStatus.WAITING
_IN_LINE, _HANDED_OUT = 1, 2
UNSTARTED = frozenset({_PENDING, _RETRYING})
_UNENDED = UNSTARTED | {_RUNNING}


class Standing:
    """Every node's status and what goes with it, for one round of a run.

    ``live`` holds the live incoming connections of each node, ``retries`` the due times of waiting retries,
    ``waits`` the steps put aside and ``answers`` what ended their waits; a step with an answer goes on where it
    was put aside. ``joins`` are the times at which nodes stop waiting for more inputs, ``naps`` those at which looping
    nodes run again, ``iterations`` how often these have run; ``asleep`` is when the round begins, None if it has.
    ``kept`` are the nodes that are not to run yet. All times are Unix milliseconds.
    """

    def __init__(self, graph: Graph, *, start: int | None, ahead: Sequence[bool]) -> None:
        self.graph = graph
        self.paused = False
        self.round = 0
        self.start = start
        self._ahead = ahead
        self._begin()

    def _begin(self) -> None:
        """Set every node back; whether the run is paused stays."""
        graph, start = self.graph, self.start
        count = len(graph.nodes)
        self.status = [_PENDING] * count
        self.live: list[list[int]] = [[] for _ in range(count)]
        self.attempts = [0] * count
        self.failures = [0] * count
        self.crashes: dict[int, int] = {}
        self.retries: dict[int, int] = {}
        self.waits: dict[int, r.StepSuspended] = {}
        self.answers: dict[int, r.StepResumed] = {}
        self.joins: dict[int, int] = {}
        self.naps: dict[int, int] = {}
        self.iterations: dict[int, int] = {}
        self.asleep: int | None = None
        self.stopping = False
        self.kept: frozenset[int] = frozenset() if start in graph.last else graph.last
        self.open = count - len(self.kept)
        self._queued = bytearray(count)
        self._ready_ahead: deque[int] = deque()
        self._ready_claim: deque[int] = deque()
        self._waiting = list(graph.in_degrees)
        ready: Sequence[int] = graph.roots
        if start is not None:
            self._limit_to(start)
            ready = [node for node, missing in enumerate(self._waiting) if missing == 0]
        for node in ready:
            if self.status[node] is _PENDING and node not in self.kept:
                self._queue(node)

    def next_ahead(self) -> int | None:
        """Return a ready node whose step may run before its start is journaled, or None for now."""
        ready = self._ready_ahead
        if self.paused or self.stopping or self.asleep:
            return None
        while ready:
            node = ready.popleft()
            # a recovered line may still name a step that has waited since, and must be claimed to go on
            if self._queued[node] == _IN_LINE and node not in self.answers:
                self._queued[node] = _HANDED_OUT
                return node
        return None

    def next_claim(self) -> int | None:
        """Return a ready node whose start must be synced before its step runs, or None for now."""
        ready = self._ready_claim
        if self.paused or self.stopping or self.asleep:
            return None
        while ready:
            node = ready.popleft()
            if self._queued[node] == _IN_LINE:
                self._queued[node] = _HANDED_OUT
                return node
        return None

    def put_back(self, node: int) -> None:
        """Keep a node that `next_claim` gave as ready; it is given again after `give_again`."""
        self._queued[node] = _IN_LINE

    def give_again(self, node: int) -> None:
        """Have `next_claim` give a node that was put back, unless it came to something else meanwhile."""
        if self._queued[node] == _IN_LINE:
            self._ready_claim.append(node)

    def retry_due(self, node: int) -> None:
        """Say that a failed node's wait is over."""
        if self.retries.pop(node, None) is not None and not self.stopping:
            self._queue(node)

    def nap_over(self, node: int) -> None:
        """Say that a looping node's sleep is over."""
        if self.naps.pop(node, None) is not None and not self.stopping:
            self.status[node] = _PENDING
            self._queue(node)

    def rouse(self) -> None:
        """Say that the time before the round is over."""
        self.asleep = None

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
    def rests(self) -> bool:
        """Whether no node is ready, or none may start before a time that is set."""
        return self.asleep is not None or _IN_LINE not in self._queued

    @property
    def has_claims(self) -> bool:
        """Whether some node could be claimed now."""
        return bool(self._ready_claim) and not (self.paused or self.stopping or self.asleep)

    def may_retry(self, node: int) -> bool:
        """Tell whether the node's policy allows another attempt after a failure now."""
        return not self.stopping and self.failures[node] + 1 < self.graph.nodes[node].retry.attempts

    def _limit_to(self, start: int) -> None:
        """Leave everything out that is not downstream of the start; joins do not wait for what is left out."""
        graph = self.graph
        inside = graph.reachable(start)
        self.open = len(inside)
        for node in range(len(graph.nodes)):
            if node not in inside and node not in self.kept:
                self.status[node] = _SKIPPED
        for edge in graph.edges:
            if edge.source not in inside and edge.source not in self.kept:
                self._waiting[edge.target] -= 1

    def _release_kept(self) -> None:
        """Let the nodes that were kept run."""
        kept, self.kept = self.kept, frozenset()
        self.open += len(kept)
        for node in sorted(kept):
            if self._waiting[node] == 0:
                self._queue(node)

    def _queue(self, node: int) -> None:
        self._queued[node] = _IN_LINE
        if self.joins:
            self.joins.pop(node, None)
        ahead = self._ahead[node] and node not in self.answers
        (self._ready_ahead if ahead else self._ready_claim).append(node)
