"""Which results of a past run a new one keeps, when only a part of it is done again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from core_engine.kernel.ports import Seed
from core_engine.workflow.graph import Edge, Graph, canonical
from core_engine.workflow.journal import encode_payload
from core_engine.workflow.state import RunState
from shared.contract.run import NodeStatus

_UNIMPORTANT = frozenset({"id", "name", "x", "y", "retry", "timeout_seconds"})
_FAILED = frozenset({NodeStatus.ERROR, NodeStatus.OUTCOME_UNKNOWN})


class Obstacle(NamedTuple):
    """A node that would have to keep a result and cannot."""

    node_id: str
    problem: str


@dataclass(frozen=True)
class Side:
    """One version of a workflow."""

    graph: Graph
    data: Mapping[str, Any]

    @cached_property
    def meaning(self) -> dict[str, bytes]:
        """What each node's result depends on, besides what comes in: its settings and where its inputs come from."""
        settings = {node["id"]: node for node in self.data["nodes"]}
        return {
            node.id: canonical(
                {
                    "settings": {k: v for k, v in settings[node.id].items() if k not in _UNIMPORTANT},
                    "inputs": self.inputs(node.index),
                }
            )
            for node in self.graph.nodes
        }

    def inputs(self, node: int) -> list[list[str]]:
        """Return where a node's inputs come from, in one order."""
        edges = [self.graph.edges[edge] for edge in self.graph.incoming[node]]
        return sorted(
            [self.graph.nodes[edge.source].id, self.graph.ports[edge.index], edge.target_port]
            for edge in edges
        )

    def above(self, nodes: Iterable[int]) -> set[int]:
        """Return everything that leads to these nodes, themselves included."""
        stack = list(nodes)
        seen = set(stack)
        while stack:
            for edge in self.graph.incoming[stack.pop()]:
                source = self.graph.sources[edge]
                if source not in seen:
                    seen.add(source)
                    stack.append(source)
        return seen

    def in_order(self) -> list[int]:
        """Return all nodes, each after those that lead to it."""
        left = list(self.graph.in_degrees)
        ready = [node for node, count in enumerate(left) if count == 0]
        for node in ready:
            for edge in self.graph.outgoing[node]:
                target = self.graph.targets[edge]
                left[target] -= 1
                if left[target] == 0:
                    ready.append(target)
        return ready


@dataclass(slots=True)
class Redo:
    """What is done again (node numbers of the new version), what is kept, and what stands in the way."""

    again: set[int]
    seeds: list[Seed] = field(default_factory=list)
    obstacles: list[Obstacle] = field(default_factory=list)


def starts_after_failure(old: Side, state: RunState, new: Side) -> list[int]:
    """Return the nodes of the new version from which a failed or stopped run is taken up again."""
    starts = []
    for node in old.in_order():
        name, status = old.graph.nodes[node].id, state.planner.status[node]
        done = status in {NodeStatus.SUCCESS, NodeStatus.SKIPPED} or _handled(old.graph, state, node)
        if not done and name in new.graph.by_id:
            starts.append(new.graph.by_id[name])
    return starts


def plan_seeds(  # noqa: PLR0913 - the two sides and what is wanted
    old: Side,
    state: RunState,
    new: Side,
    starts: Sequence[int],
    *,
    limit: int | None,
    rerun_changed: bool,
) -> Redo:
    """Decide for every node of the new version whether it is done again, keeps its result or is left out.

    What leads to the part that is done again must have a result, or it is an obstacle (done again too with
    ``rerun_changed``); what stands beside it and has none is left out. ``limit`` is the node with which the run
    starts, as the past one did.
    """
    redo = Redo(set().union(*(new.graph.reachable(start) for start in starts)))
    inside = set(range(len(new.graph.nodes))) if limit is None else new.graph.reachable(limit)
    # what runs finally has always to be done again: it ends this run, not the past one
    inside -= new.graph.last
    order = [node for node in new.in_order() if node in inside and not new.graph.nodes[node].disabled]
    if rerun_changed:
        _spread(old, state, new, order, redo)
    feeding = new.above(redo.again)
    for node in order:
        if node in redo.again:
            continue
        problem = _problem(old, state, new, node)
        if problem and node in feeding:
            redo.obstacles.append(Obstacle(new.graph.nodes[node].id, problem))
        elif problem:
            redo.seeds.append(
                Seed(new.graph.nodes[node].id, NodeStatus.SKIPPED, source=state.accepted.run_id)
            )
        elif seed := _seed(old.graph, state, new.graph.nodes[node].id):
            redo.seeds.append(seed)
    if not rerun_changed:
        redo.obstacles += _gone(old, new, starts)
    if not redo.obstacles:
        redo.obstacles += _dead_starts(new, starts, redo, inside)
    return redo


def _spread(old: Side, state: RunState, new: Side, order: Sequence[int], redo: Redo) -> None:
    """Have what leads to the part and has no usable result done again too, with what comes after it."""
    bad = [node for node in order if node not in redo.again and _problem(old, state, new, node)]
    while bad:
        feeding = new.above(redo.again)
        more = [node for node in bad if node in feeding]
        if not more:
            return
        redo.again |= set().union(*map(new.graph.reachable, more))
        bad = [node for node in bad if node not in redo.again]


def _problem(old: Side, state: RunState, new: Side, node: int) -> str | None:
    name = new.graph.nodes[node].id
    before = old.graph.by_id.get(name)
    if before is None:
        return "is new in this version"
    status = state.planner.status[before]
    skipped = status is NodeStatus.SKIPPED
    if skipped and old.inputs(before) == new.inputs(node) and not old.graph.nodes[before].disabled:
        return None
    if old.meaning[name] != new.meaning[name]:
        return "was changed"
    if status is NodeStatus.SUCCESS or skipped or _handled(old.graph, state, before):
        return None
    return f"has no result ({status.value})"


def _handled(graph: Graph, state: RunState, node: int) -> bool:
    """Tell whether a step failed in such a way that the run went on at its error port."""
    return (
        state.planner.status[node] in _FAILED and bool(state.outputs[node]) and bool(graph.error_route(node))
    )


def _seed(graph: Graph, state: RunState, name: str) -> Seed | None:
    """Return a node's result for the new run; None for one that was skipped, which follows by itself."""
    node = graph.by_id[name]
    status, outputs = state.planner.status[node], state.outputs[node]
    if status is NodeStatus.SKIPPED:
        return None
    contents = {port: encode_payload(state.payloads.load(stored)) for port, stored in (outputs or {}).items()}
    failed = status in _FAILED
    return Seed(
        node_id=name,
        status=NodeStatus.ERROR if failed else NodeStatus.SUCCESS,
        outputs=contents,
        source=state.accepted.run_id,
        pinned=node in state.aids.pins,
        raised=failed,
        error="It failed in the run that is done again; its error port was taken." if failed else None,
    )


def _gone(old: Side, new: Side, starts: Sequence[int]) -> list[Obstacle]:
    """Return what led to the part in the old version and is not there any more."""
    names = [new.graph.nodes[start].id for start in starts]
    before = old.above(old.graph.by_id[name] for name in names if name in old.graph.by_id)
    missing = [old.graph.nodes[node].id for node in sorted(before)]
    return [Obstacle(name, "is not in this version") for name in missing if name not in new.graph.by_id]


def _dead_starts(new: Side, starts: Sequence[int], redo: Redo, inside: set[int]) -> list[Obstacle]:
    """Return starts to which nothing leads with the results that are kept."""
    kept = {seed.node_id: seed for seed in redo.seeds}
    return [
        Obstacle(new.graph.nodes[start].id, "was skipped: nothing led to it")
        for start in starts
        if start not in inside
        or (
            new.graph.incoming[start]
            and not any(
                _may_live(new.graph, new.graph.edges[e], redo, kept) for e in new.graph.incoming[start]
            )
        )
    ]


def _may_live(graph: Graph, edge: Edge, redo: Redo, kept: Mapping[str, Seed]) -> bool:
    source = graph.nodes[edge.source]
    if edge.source in redo.again or source.disabled:
        return True
    seed = kept.get(source.id)
    if seed is None or seed.status is NodeStatus.SKIPPED:
        return False
    taken = graph.error_route(edge.source) if seed.raised else graph.route(edge.source, seed.outputs)
    return edge.index in taken
