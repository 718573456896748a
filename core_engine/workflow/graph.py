"""A workflow ready to run: nodes and connections by number, with everything that never changes worked out."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.workflow.flow_rules import NO_FLOW, PLAIN_JOIN, Flow
from core_engine.workflow.laps import Lap
from core_engine.workflow.settings_plan import SettingsPlan
from shared.contract.flow_family import WorkflowInput
from shared.contract.flow_rules import JoinRule
from shared.contract.run import RunMode
from shared.contract.workflow import Concurrency, RetryPolicy

MAIN_PORTS = frozenset({"success", "output", "default", "source", "out", "main", "result"})
ERROR_PORTS = ("error", "failure")


@dataclass(frozen=True, slots=True)
class Node:
    """One step. ``config`` is None while its settings hold expressions: then ``template`` is rendered per attempt.

    ``effect`` is the component's policy under these settings, None for its general one.
    ``body`` is the workflow of the nodes that stand inside it.
    ``reference`` is what the registry finds the component by, where that is not ``module_id`` alone.
    ``defect`` is why the node cannot run on this engine, for runs that were accepted before it became so.
    ``late`` says that its settings hold statements, which take a while to work out.
    ``concurrency`` is what it shares with other nodes of the engine.
    ``last`` marks a node that runs after all others (``finally``), ``lap`` one that runs again and again.
    ``plan`` makes the settings of a template without statements.
    ``values`` are the settings as written, ``queue`` and ``worker`` (a label) say which workers its steps are for.
    """

    index: int
    id: str
    name: str
    module_id: str
    component: Component[Any]
    config: Config | None
    template: Any
    join_any: bool
    disabled: bool
    retry: RetryPolicy
    timeout_seconds: float | None
    defect: str | None = None
    effect: StepPolicy | None = None
    join: JoinRule = PLAIN_JOIN
    last: bool = False
    lap: Lap | None = None
    body: dict[str, Any] | None = None
    reference: str = ""
    late: bool = False
    concurrency: Concurrency | None = None
    values: Any = None
    queue: str = ""
    worker: str = ""
    plan: SettingsPlan | None = None

    @property
    def label(self) -> str:
        """What people call the node."""
        return self.name or self.id

    def policy(self, mode: RunMode) -> StepPolicy:
        """Return what a crash during the step means; a simulated step has no effect, so it can be repeated."""
        return StepPolicy.REPEATABLE if mode is RunMode.SIMULATE else self.effect or self.component.policy

    def runs_ahead(self, mode: RunMode) -> bool:
        """Whether the step may run before its start is journaled: it is short and leaves no trace."""
        inline = self.component.execution is Execution.INLINE
        waits = self.late or self.concurrency is not None
        return self.disabled or (inline and not waits and self.policy(mode) is StepPolicy.REPEATABLE)


@dataclass(frozen=True, slots=True)
class Edge:
    """One connection; ``source`` and ``target`` are node numbers, an empty port name means the usual port."""

    index: int
    id: str
    source: int
    target: int
    source_port: str
    target_port: str

    @property
    def is_main(self) -> bool:
        """Whether the edge carries good results (its port does not speak of errors or failure)."""
        port = self.source_port.lower()
        return "error" not in port and "fail" not in port


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges, and for every node the numbers of its outgoing and incoming edges in connection order.

    ``sources``, ``targets`` and ``ports`` (the port an edge leaves) are by edge number. ``enough`` tells how many live
    inputs make a node ready at once (0: it waits for all), ``expiring`` after how many ms it waits no longer,
    ``roots`` are the nodes that no edge leads to, ``always`` those that run without live ones, ``last`` those that
    run after all others. ``timed`` tells whether anything may be due at a time that the workflow says.
    """

    hash: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    outgoing: tuple[tuple[int, ...], ...]
    incoming: tuple[tuple[int, ...], ...]
    main_outgoing: tuple[tuple[int, ...], ...]
    in_degrees: tuple[int, ...]
    targets: tuple[int, ...]
    sources: tuple[int, ...]
    ports: tuple[str, ...]
    by_id: dict[str, int]
    by_name: dict[str, int]
    components: dict[str, Component[Any]]
    enough: tuple[int, ...]
    expiring: dict[int, int]
    roots: tuple[int, ...]
    always: frozenset[int]
    last: frozenset[int]
    flow: Flow
    timed: bool
    inputs: tuple[WorkflowInput, ...] = ()

    @classmethod
    def build(
        cls,
        workflow_hash: str,
        nodes: Sequence[Node],
        edges: Sequence[Edge],
        flow: Flow = NO_FLOW,
        inputs: tuple[WorkflowInput, ...] = (),
    ) -> Graph:
        """Index checked nodes and edges."""
        outgoing: list[list[int]] = [[] for _ in nodes]
        incoming: list[list[int]] = [[] for _ in nodes]
        for edge in edges:
            outgoing[edge.source].append(edge.index)
            incoming[edge.target].append(edge.index)
        names: dict[str, int] = {}
        for node in nodes:
            names.setdefault(node.name, node.index)
        expiring = {
            node.index: int(node.join.timeout_seconds * 1000) for node in nodes if node.join.timeout_seconds
        }
        last = frozenset(node.index for node in nodes if node.last)
        laps = any(node.lap for node in nodes)
        return cls(
            hash=workflow_hash,
            nodes=tuple(nodes),
            edges=tuple(edges),
            outgoing=tuple(map(tuple, outgoing)),
            incoming=tuple(map(tuple, incoming)),
            main_outgoing=tuple(tuple(e for e in out if edges[e].is_main) for out in outgoing),
            in_degrees=tuple(map(len, incoming)),
            targets=tuple(edge.target for edge in edges),
            sources=tuple(edge.source for edge in edges),
            ports=tuple(edge.source_port or _first_port(nodes[edge.source]) for edge in edges),
            by_id={node.id: node.index for node in nodes},
            by_name=names,
            components={node.reference or node.module_id: node.component for node in nodes},
            enough=tuple(map(_enough, nodes)),
            expiring=expiring,
            roots=tuple(node for node, edges_in in enumerate(incoming) if not edges_in),
            always=frozenset(node.index for node in nodes if node.join.run == "always"),
            last=last,
            flow=flow,
            timed=bool(flow.watched or flow.rounds > 1 or expiring or last or laps),
            inputs=inputs,
        )

    def find(self, key: str) -> int | None:
        """Return the number of the node with that id, or else with that name."""
        found = self.by_id.get(key)
        return self.by_name.get(key) if found is None else found

    def route(self, node: int, ports: Collection[str]) -> tuple[int, ...]:
        """Return the outgoing edges that become live when these ports do (protocol §5.4).

        One port of the usual names opens every edge that does not speak of errors; any other one, and each of
        several, opens the edges of exactly that name. An edge without a name leaves the first declared port.
        """
        if len(ports) == 1:
            (port,) = ports
            if port in MAIN_PORTS:
                return self.main_outgoing[node]
        return tuple(edge for edge in self.outgoing[node] if self.ports[edge] in ports)

    def error_route(self, node: int) -> tuple[int, ...]:
        """Return the outgoing edges that a raised error takes."""
        return tuple(edge for edge in self.outgoing[node] if self.edges[edge].source_port in ERROR_PORTS)

    def reachable(self, start: int) -> set[int]:
        """Return the node and everything downstream of it."""
        seen, stack = {start}, [start]
        while stack:
            for edge in self.outgoing[stack.pop()]:
                target = self.edges[edge].target
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        return seen


def _enough(node: Node) -> int:
    if node.join_any:
        return 1
    return node.join.count if node.join.mode == "first" else 0


def _first_port(node: Node) -> str:
    return node.component.outputs[0].name if node.component.outputs else "success"


def canonical(workflow_data: dict[str, Any]) -> bytes:
    """Return the canonical JSON of a workflow: UTF-8, object keys sorted, no white space."""
    return msgspec.json.encode(workflow_data, order="sorted")


def workflow_hash(canonical_json: bytes) -> str:
    """Return the name of a workflow's exact version: SHA-256 of its canonical JSON, in hex."""
    return hashlib.sha256(canonical_json).hexdigest()


def find_cycles(successors: Sequence[Sequence[int]], most: int = 20) -> list[list[int]]:
    """Return disjoint cycles of a graph, each as the nodes along it; none means that it has an order."""
    left = _unordered(successors)
    cycles: list[list[int]] = []
    while left and len(cycles) < most:
        node = min(left)
        path: dict[int, None] = {}
        while node not in path:
            path[node] = None
            node = min(target for target in successors[node] if target in left)
        walk = list(path)
        cycle = walk[walk.index(node) :]
        cycles.append(cycle)
        rest = left.difference(cycle)
        left = _unordered(
            [[t for t in targets if t in rest] if n in rest else [] for n, targets in enumerate(successors)]
        )
    return cycles


def _unordered(successors: Sequence[Sequence[int]]) -> set[int]:
    """Return the nodes from which every walk can go on for ever: those on a cycle or leading into one."""
    predecessors: list[list[int]] = [[] for _ in successors]
    for node, targets in enumerate(successors):
        for target in targets:
            predecessors[target].append(node)
    open_ends = [len(targets) for targets in successors]
    stack = [node for node, count in enumerate(open_ends) if count == 0]
    left = set(range(len(successors)))
    while stack:
        node = stack.pop()
        left.discard(node)
        for source in predecessors[node]:
            open_ends[source] -= 1
            if open_ends[source] == 0:
                stack.append(source)
    return left
