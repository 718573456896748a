"""What is known of a run after some of its records: the same fold serves the live run, recovery and reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from core_engine.kernel.payload import DeadInput, Input, Payload
from core_engine.workflow import records as r
from core_engine.workflow.aids import Aids
from core_engine.workflow.dead_inputs import dead_inputs
from core_engine.workflow.graph import Graph
from core_engine.workflow.journal import LARGE, Payloads
from core_engine.workflow.planner import Planner
from core_engine.workflow.projection import frame_count
from core_engine.workflow.results import merged
from core_engine.workflow.usage import Usage
from shared.contract.run import RUN_MODES, RUN_STATUSES, RunStatus


class Given(msgspec.Struct, frozen=True):
    """What a step is given: its payload, and the live connections it came along with what each carried."""

    payload: Payload
    edges: Sequence[int]
    parts: Sequence[Payload]


class RunState:
    """The fold of a run's records: the planner's state, every output, the counters and the status."""

    def __init__(
        self, graph: Graph, accepted: r.RunAccepted, payloads: Payloads, ahead: Sequence[bool]
    ) -> None:
        """Begin with the first record, already counted."""
        self.graph = graph
        self.accepted = accepted
        self.payloads = payloads
        self.mode = RUN_MODES[accepted.mode]
        self.aids = Aids.read(accepted.options, graph)
        ahead = self.aids.ahead(ahead)
        self.planner = Planner(graph, start=accepted.start_node, ahead=ahead)
        self.planner.halts.set(self.aids.breakpoints)
        self.outputs: list[r.Outputs | None] = [None] * len(graph.nodes)
        self.records = 1
        self.next_seq = accepted.seq + 1
        self.status = RunStatus.RUNNING
        self.status_seq = accepted.seq
        self.error: str | None = None
        self.finished_at: int | None = None
        self.result_row: bytes | None = None
        self.paused_by = ""
        self.leaves: set[int] = set()
        self.asked: dict[int, r.Outputs] = {}
        self.log_lines = self.log_chars = self.popups = 0
        self.usage = Usage()
        self.last_at = accepted.at
        self.errors: dict[int, str] = {}
        self.laps: dict[int, r.Outputs] = {}
        self.alarms: list[r.AlarmRaised] = []

    def apply(self, record: r.Record) -> None:
        """Take a record in."""
        self.records += 1
        self.last_at = record.at
        self._HANDLERS[type(record)](self, record)

    def given(self, node: int) -> Given:
        """Return what a node is given, freshly decoded.

        What came alone is taken as it is. Several objects are merged member by member, later connections winning;
        several other values become a list.
        """
        edges = self.planner.live[node]
        if self.laps and node in self.laps:
            payload = self.payloads.load(next(iter(self.laps[node].values())))
            return Given(payload, sorted(edges), [self.carried(edge) for edge in sorted(edges)])
        if len(edges) == 1:
            payload = self.carried(edges[0])
            return Given(payload, edges, (payload,))
        if not edges:
            return Given(self._first_payload(node), (), ())
        edges = sorted(edges)
        parts = [self.carried(edge) for edge in edges]
        return Given(merged(parts), edges, parts)

    def carried(self, edge: int, outputs: r.Outputs | None = None) -> Payload:
        """Return what went along a live connection; ``outputs`` are its source's, by default the latest."""
        graph = self.graph
        outputs = outputs or self.outputs[graph.sources[edge]] or {}
        stored = outputs.get(graph.ports[edge])
        return self.payloads.load(stored or outputs[self._port(edge, outputs)])

    def inputs(self, given: Given) -> tuple[Input, ...]:
        """Describe what a step is given, connection by connection."""
        return tuple(map(self._input, given.edges, given.parts))

    def dead_inputs(self, given: Given, node: int) -> tuple[DeadInput, ...]:
        """Describe the connections that brought nothing."""
        return dead_inputs(self.planner, self.outputs, node, given.edges)

    def failed_nodes(self) -> list[dict[str, Any]]:
        """Describe the nodes that failed: ``node_id``, ``name``, ``error`` and ``attempts``."""
        nodes, attempts = self.graph.nodes, self.planner.attempts
        return [
            {
                "node_id": nodes[index].id,
                "name": nodes[index].name,
                "error": error,
                "attempts": attempts[index],
            }
            for index, error in sorted(self.errors.items())
        ]

    def store(self, outputs: Mapping[str, bytes]) -> r.Outputs:
        """Return what the journal says in place of a step's outputs."""
        stored: r.Outputs = {}
        for port, content in outputs.items():
            stored[port] = msgspec.Raw(content) if len(content) <= LARGE else self.payloads.store(content)
        return stored

    def about(self) -> dict[str, Any]:
        """Return what ``run`` shows in expressions."""
        accepted = self.accepted
        return {
            "id": accepted.run_id,
            "mode": accepted.mode,
            "preset": accepted.preset,
            "started_at": accepted.at,
        }

    def result(self, key: str) -> dict[str, Any] | None:
        """Return a node's result by its id or name, as ``nodes`` shows it in expressions."""
        node = self.graph.find(key)
        outputs = None if node is None else self.outputs[node]
        if not outputs:
            return None
        ports = {port: self.payloads.load(stored).to_wire() for port, stored in outputs.items()}
        return {**next(iter(ports.values())), "outputs": ports}

    def _first_payload(self, node: int) -> Payload:
        """Return what a node without live inputs is given."""
        planner = self.planner
        if node in self.graph.always and self.graph.incoming[node] and node != planner.start:
            dead = dead_inputs(planner, self.outputs, node, ())
            return Payload({"dead_inputs": [item.to_wire() for item in dead]})
        if planner.finale and node in self.graph.last:
            return self.payloads.load(planner.finale.payload)
        return Payload() if planner.round else self.payloads.load(self.accepted.initial)

    def _port(self, edge: int, outputs: r.Outputs) -> str:
        """Return the active port that feeds an edge: one active port opens edges of other good ports too."""
        port = self.graph.ports[edge]
        return port if port in outputs else next(iter(outputs))

    def _input(self, edge: int, payload: Payload) -> Input:
        found = self.graph.edges[edge]
        source = self.graph.nodes[found.source]
        port = self._port(edge, self.outputs[found.source] or {})
        return Input(found.id, source.id, port, found.target_port or "input", payload)

    def _release(self, node: int) -> None:
        """Drop large contents whose every reader has ended, after a node ended."""
        planner, graph = self.planner, self.graph
        sources = {graph.edges[edge].source for edge in graph.incoming[node]} | {node}
        for source in sources:
            targets = (graph.targets[edge] for edge in graph.outgoing[source])
            outputs = self.outputs[source]
            if outputs and not any(planner.needs_input(target) for target in targets):
                self.payloads.release(outputs, [self.outputs[leaf] or {} for leaf in self.leaves])

    def _on_ran(self, record: r.StepRan) -> None:
        self.next_seq = record.seq + 2 + len(record.taken)
        self.outputs[record.node] = record.outputs
        if self.laps:
            self.laps.pop(record.node, None)
        if not record.taken:
            self.leaves.add(record.node)
        self.planner.ran(record)
        if self.payloads.large:
            self._release(record.node)

    def _on_result(self, record: Any) -> None:
        self._count(record)
        if record.outputs:
            self.outputs[record.node] = record.outputs
            if not record.taken:
                self.leaves.add(record.node)
        lap = self.laps.pop(record.node, None)
        self.planner.apply(record)
        if self.payloads.large:
            if lap:
                self.payloads.release(lap)
            self._release(record.node)

    def _on_failed(self, record: r.StepFailed) -> None:
        if record.retry_at is None:
            self.errors[record.node] = record.error
            self._on_result(record)
        else:
            self._on_other(record)

    def _on_unknown(self, record: r.StepUnknown) -> None:
        self.errors[record.node] = record.error
        self._on_result(record)

    def _on_looped(self, record: r.StepLooped) -> None:
        self._on_other(record)
        earlier = self.laps.get(record.node)
        self.laps[record.node] = record.outputs
        if earlier and self.payloads.large and earlier != record.outputs:
            self.payloads.release(earlier)

    def _on_round(self, record: r.RoundStarted) -> None:
        self._on_other(record)
        self.status_seq = record.seq + 1
        self.outputs = [None] * len(self.outputs)
        self.laps.clear()
        self.errors.clear()
        self.leaves.clear()
        self.asked.clear()
        self.payloads.large.clear()

    def _on_finally(self, record: r.FinallyStarted) -> None:
        self._on_other(record)
        self.status, self.status_seq = RunStatus(record.run), record.seq + 1

    def _on_alarm(self, record: r.AlarmRaised) -> None:
        self._count(record)
        self.alarms.append(record)

    def _on_suspended(self, record: r.StepSuspended) -> None:
        self._on_other(record)
        if record.runs:
            self.asked[record.node] = record.runs
        if self.payloads.large:
            self._release(record.node)

    def _on_other(self, record: r.Record) -> None:
        self._count(record)
        self.planner.apply(record)

    def _on_log(self, record: r.LogWritten) -> None:
        self._count(record)
        self.log_lines += 1
        self.log_chars += len(record.message)

    def _on_popup(self, record: r.PopupShown) -> None:
        self._count(record)
        self.popups += 1

    def _on_spent(self, record: r.StepSpent) -> None:
        self._count(record)
        self.usage.add(record)

    def _on_paused(self, record: r.RunPaused) -> None:
        self.status, self.status_seq, self.paused_by = RunStatus.PAUSED, record.seq, record.by
        self._on_other(record)

    def _on_resumed(self, record: r.RunResumed) -> None:
        self.status, self.status_seq = RunStatus.RUNNING, record.seq
        self._on_other(record)

    def _on_end(self, record: r.RunFinished) -> None:
        self.status, self.status_seq = RUN_STATUSES[record.status], record.seq + 1
        self.error, self.finished_at = record.error, record.at
        self._count(record)

    def _count(self, record: r.Record) -> None:
        self.next_seq = record.seq + frame_count(record)

    _HANDLERS: ClassVar[dict[type[r.Record], Callable[[RunState, Any], None]]] = {
        r.StepStarted: _on_other,
        r.StepRan: _on_ran,
        r.LogWritten: _on_log,
        r.PopupShown: _on_popup,
        r.StepFinished: _on_result,
        r.StepPassed: _on_result,
        r.StepFailed: _on_failed,
        r.StepUnknown: _on_unknown,
        r.StepInterrupted: _on_other,
        r.StepCancelled: _on_other,
        r.StopRequested: _on_other,
        r.RunPaused: _on_paused,
        r.RunResumed: _on_resumed,
        r.RunFinished: _on_end,
        r.StepSuspended: _on_suspended,
        r.StepResumed: _on_other,
        r.StepSpent: _on_spent,
        r.StepLooped: _on_looped,
        r.JoinExpired: _on_other,
        r.FinallyStarted: _on_finally,
        r.RoundStarted: _on_round,
        r.DeadlinePassed: _on_other,
        r.AlarmRaised: _on_alarm,
        r.StepSeeded: _on_result,
        r.BreakpointsSet: _on_other,
        r.BreakpointHit: _on_other,
        r.BreakpointsPassed: _on_other,
        r.LoopProgressed: _on_other,
    }
