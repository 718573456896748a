"""Traces for OpenTelemetry (OTLP over HTTP, as JSON), off unless a collector is named: a span per run and per attempt.

A run's trace is the one that its start was asked to join, else one made of its id alone, so whatever is told of it
later, or after a crash, lands in the same trace. Nothing of a workflow's data is in a span, nor its names: ids,
components, outcomes and times.
"""

from __future__ import annotations

from collections.abc import Sequence

from core_engine.kernel.outflow import Outflow
from core_engine.workflow import records as r
from core_engine.workflow.run import LiveRun
from shared import otlp
from shared.contract.run import RunStatus
from shared.otlp import Collector, Service, Span
from shared.tracing import read_traceparent, run_context, step_span_id

MOST_STARTED = 100_000
Ended = r.StepRan | r.StepFinished | r.StepLooped | r.StepFailed


class Traces:
    """Makes spans of what the journal took, and sends them."""

    def __init__(self, collector: Collector, engine_id: str, version: str) -> None:
        self._outflow = Outflow(collector, Service("flowork-engine", engine_id, version))
        self._started: dict[tuple[str, int], int] = {}
        self.send = self._outflow.send

    @property
    def dropped(self) -> int:
        """How many spans the collector did not take."""
        return self._outflow.dropped

    def see(self, run: LiveRun, records: Sequence[r.Record]) -> None:
        """Make spans of what ended."""
        for record in records:
            match record:
                case r.StepStarted():
                    if len(self._started) < MOST_STARTED:
                        self._started[run.id, record.node] = record.seq
                case r.StepRan():
                    self._outflow.add(self._step(run, record, record.at, "ok"))
                case r.StepFinished() | r.StepLooped():
                    self._outflow.add(self._step(run, record, record.at - record.ms, "ok"))
                case r.StepFailed():
                    self._outflow.add(self._step(run, record, record.at - record.ms, record.code))
                case r.RunFinished():
                    for node in range(len(run.state.graph.nodes)):
                        self._started.pop((run.id, node), None)
                    self._outflow.add(_run(run, record))

    def _step(self, run: LiveRun, record: Ended, begun: float, outcome: str) -> Span:
        node = run.state.graph.nodes[record.node]
        root = run_context(run.id, run.state.accepted.trace)
        started = self._started.pop((run.id, record.node), record.seq)
        return otlp.span(
            node.module_id,
            root.below(step_span_id(run.id, started)),
            parent=root.span_id,
            begun=begun,
            ended=begun + record.ms,
            ok=outcome == "ok",
            facts={
                "flowork.run": run.id,
                "flowork.node": node.id,
                "flowork.attempt": record.attempt,
                "flowork.outcome": outcome,
            },
        )


def _run(run: LiveRun, record: r.RunFinished) -> Span:
    accepted = run.state.accepted
    facts: dict[str, str | int] = {
        "flowork.run": run.id,
        "flowork.mode": accepted.mode,
        "flowork.status": record.status,
        "flowork.nodes": accepted.nodes,
    }
    if accepted.parent:
        facts["flowork.parent_run"] = accepted.parent[0]
    joined = read_traceparent(accepted.trace)
    return otlp.span(
        "run",
        run_context(run.id, accepted.trace),
        parent=joined.span_id if joined else None,
        begun=accepted.at,
        ended=record.at,
        ok=record.status != RunStatus.FAILED,
        facts=facts,
    )
