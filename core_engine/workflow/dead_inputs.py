"""Which inputs of a node brought nothing, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from core_engine.kernel.payload import DeadInput
from core_engine.workflow.planner import Planner
from core_engine.workflow.records import Outputs
from shared.contract.run import NodeStatus

_FAILED = frozenset({NodeStatus.ERROR, NodeStatus.OUTCOME_UNKNOWN})
_UNENDED = frozenset({NodeStatus.PENDING, NodeStatus.RUNNING, NodeStatus.RETRYING, NodeStatus.WAITING})


def dead_inputs(
    planner: Planner, outputs: Sequence[Outputs | None], node: int, live: Sequence[int]
) -> tuple[DeadInput, ...]:
    """Describe the incoming connections of a node that are not among the live ones."""
    graph = planner.graph
    found = []
    for edge in graph.incoming[node]:
        if edge not in live:
            source, known = graph.nodes[graph.sources[edge]], graph.edges[edge]
            reason = _reason(planner, outputs[source.index], edge)
            found.append(DeadInput(known.id, source.id, source.name, known.target_port or "input", reason))
    return tuple(found)


def _reason(planner: Planner, outputs: Outputs | None, edge: int) -> Literal["skipped", "failed", "late"]:
    graph = planner.graph
    source = graph.sources[edge]
    status = planner.status[source]
    if status in _UNENDED:
        return "late"
    if status in _FAILED:
        return "late" if edge in graph.error_route(source) else "failed"
    return "late" if outputs and edge in graph.route(source, outputs) else "skipped"
