"""Reads workflow_data into a `Graph` and lists everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core_engine.kernel.component import Component, Config, Port, StepPolicy
from core_engine.kernel.ports import Registry
from core_engine.workflow.bodies import part
from core_engine.workflow.expressions import compile_value
from core_engine.workflow.flow_rules import NO_FLOW, Flow, read_flow, read_join
from core_engine.workflow.graph import (
    ERROR_PORTS,
    MAIN_PORTS,
    Edge,
    Graph,
    Node,
    canonical,
    find_cycles,
    workflow_hash,
)
from core_engine.workflow.inputs import read_inputs
from core_engine.workflow.laps import Lap, read_lap
from core_engine.workflow.missing import MissingComponent
from core_engine.workflow.retry import policy_of, timeout_of
from core_engine.workflow.settings_plan import SettingsPlan
from core_engine.workflow.statements import statements_in
from core_engine.workflow.trigger_settings import trigger_problems
from shared.contract.flow_family import WorkflowInput
from shared.contract.workflow import (
    MAX_CONNECTIONS,
    MAX_NODES,
    WorkflowConnection,
    WorkflowNode,
    WorkflowProblem,
)
from shared.errors import ErrorCode, FloworkError

ModelT = TypeVar("ModelT", bound=BaseModel)
_MOST_PROBLEMS = 1000


@dataclass(slots=True)
class _Parser:
    """Collects nodes, edges and problems; goes on after a problem so that all of them are found."""

    registry: Registry
    problems: list[WorkflowProblem] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    flow: Flow = NO_FLOW
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    inputs: tuple[WorkflowInput, ...] = ()

    def read(self, data: Mapping[str, Any]) -> None:
        """Read the whole workflow, and check the bodies inside it as workflows of their own."""
        parted = part(self._list(data, "nodes", MAX_NODES), self._list(data, "connections", MAX_CONNECTIONS))
        self.bodies = parted.bodies
        self.inputs, problems = read_inputs(data)
        self.problems += (parted.problems + problems)[:_MOST_PROBLEMS]
        if not parted.nodes and not self.problems:
            self._problem("The workflow has no nodes.", field="nodes")
        for position, raw in enumerate(parted.nodes):
            self._node(raw, position)
        seen: set[str] = set()
        for position, raw in enumerate(parted.connections):
            self._connection(raw, position, seen)
        self._cycles()
        self.problems += trigger_problems(data)
        self.flow = read_flow(data, lambda problem, place: self._problem(problem, field=place))
        for body in self.bodies.values():
            inner = _Parser(self.registry)
            inner.read(body)
            self.problems += inner.problems[: max(0, _MOST_PROBLEMS - len(self.problems))]

    def _problem(self, problem: str, **where: Any) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(WorkflowProblem(problem=problem, **where))

    def _list(self, data: Mapping[str, Any], name: str, limit: int) -> list[Any]:
        found = data.get(name, [])
        if not isinstance(found, list):
            self._problem(f"{name} must be a list.", field=name)
        elif len(found) > limit:
            self._problem(f"A workflow has at most {limit} {name}; this one has {len(found)}.", field=name)
        else:
            return found
        return []

    def _shape(self, model: type[ModelT], raw: Any, **where: Any) -> ModelT | None:
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False):
                self._problem(item["msg"], **where, field=".".join(map(str, item["loc"])) or None)
        return None

    def _node(self, raw: Any, position: int) -> None:
        given = raw.get("id") if isinstance(raw, Mapping) else None
        node_id = given if isinstance(given, str) and given else f"nodes[{position}]"
        node = self._shape(WorkflowNode, raw, node_id=node_id)
        if node is None:
            return
        if node.id in self.index:
            self._problem("Another node has the same id.", node_id=node.id)
            return
        self.index[node.id] = len(self.nodes)
        self.nodes.append(self._step(node))

    def _step(self, node: WorkflowNode) -> Node:
        reference = f"{node.module_id}@{node.component_version}" if node.component_version else node.module_id
        found = self.registry.find(reference)
        before = len(self.problems)
        component: Component[Any] = found or MissingComponent()
        config: Config | None = None
        template: Any = None
        effect: StepPolicy | None = None
        rule = read_join(node.join)
        if found is None:
            self._problem(f"The component {reference} is not installed.", node_id=node.id)
        elif not node.disabled:
            config, template, effect = self._settings(node, found)
            self._body(node, found, config)
        lap = None if node.disabled else self._lap(node, component)
        late = any(statements_in(template))
        defect = "; ".join(_sentence(problem) for problem in self.problems[before:]) or None
        return Node(
            index=len(self.nodes),
            id=node.id,
            name=node.name,
            module_id=node.module_id,
            reference=reference,
            component=component,
            config=None if defect else config,
            template=template,
            concurrency=node.concurrency,
            late=late,
            plan=None if template is None or late else SettingsPlan(component, template),
            join_any=rule.mode == "any",
            disabled=node.disabled,
            retry=policy_of(node, component),
            timeout_seconds=timeout_of(node, component),
            defect=defect,
            effect=effect,
            join=rule,
            last=node.last,
            lap=lap,
            body=self.bodies.get(node.id),
            values=node.config_values,
            queue=node.queue or "",
            worker=node.worker or "",
        )

    def _lap(self, node: WorkflowNode, component: Component[Any]) -> Lap | None:
        try:
            return read_lap(node.config_values, component)
        except ValueError as error:
            self._problem(str(error), node_id=node.id, field="enable_loop")
            return None

    def _body(self, node: WorkflowNode, component: Component[Any], config: Config | None) -> None:
        if node.id in self.bodies and not component.holds_body:
            self._problem(f"Nodes cannot stand inside {component.name}.", node_id=node.id)
        elif config:
            problem = component.body_problem(config, has_body=node.id in self.bodies)
            if problem:
                self._problem(problem, node_id=node.id)

    def _settings(
        self, node: WorkflowNode, component: Component[Any]
    ) -> tuple[Config | None, Any, StepPolicy | None]:
        """Parse a node's settings; members with expressions are judged when they have values.

        The step's policy is taken from the settings as written: a choice that is itself an expression does not
        parse here, which leaves the component's general policy.
        """
        values: dict[str, Any] = {}
        open_fields: set[str] = set()
        for name, value in node.config_values.items():
            values[name] = value
            if name in component.raw_fields:
                continue
            try:
                values[name], has_expression = compile_value(value)
            except FloworkError as error:
                self._problem(error.message, node_id=node.id, field=name)
                has_expression = True
            if has_expression:
                open_fields.add(name)
        config = None
        try:
            config = component.parse_config(node.config_values)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_input=False):
                path = [str(part) for part in item["loc"]]
                if not (path and path[0] in open_fields) and not (not path and open_fields):
                    self._problem(item["msg"], node_id=node.id, field=".".join(path) or None)
        except (FloworkError, ValueError, TypeError) as error:
            if not open_fields:
                self._problem(str(error), node_id=node.id)
        effect = component.policy_for(config) if config else None
        return (None, values, effect) if open_fields else (config, None, effect)

    def _connection(self, raw: Any, position: int, seen: set[str]) -> None:
        given = raw.get("id") if isinstance(raw, Mapping) else None
        named = given if isinstance(given, str) and given else f"connections[{position}]"
        connection = self._shape(WorkflowConnection, raw, connection_id=named)
        if connection is None:
            return
        edge_id = connection.id or _made_up_id(connection, seen)
        if edge_id in seen:
            self._problem("Another connection has the same id.", connection_id=edge_id)
            return
        seen.add(edge_id)
        source, target = self._end(connection.source, edge_id), self._end(connection.target, edge_id)
        if source is None or target is None:
            return
        edge = Edge(
            index=len(self.edges),
            id=edge_id,
            source=source.index,
            target=target.index,
            source_port=connection.source_port_name or "",
            target_port=connection.target_port_name or "",
        )
        self._ports(edge, source, target)
        if source.last != target.last:
            message = "Nodes marked finally are connected with each other only."
            self._problem(message, connection_id=edge.id, node_id=target.id, field="finally")
            return
        self.edges.append(edge)

    def _end(self, node_id: str, edge_id: str) -> Node | None:
        found = self.index.get(node_id)
        if found is None:
            self._problem(
                f"The connection ends at a node that does not exist: {node_id}.", connection_id=edge_id
            )
            return None
        return self.nodes[found]

    def _ports(self, edge: Edge, source: Node, target: Node) -> None:
        outputs = _names(
            source.component.output_ports(source.config) if source.config else source.component.outputs
        )
        known = outputs | set(ERROR_PORTS) | (MAIN_PORTS if outputs & MAIN_PORTS else set())
        if not _ports_open(source) and edge.source_port not in known | {""}:
            has = f"it has {', '.join(sorted(outputs)) or 'none'}"
            message = f"{source.label} has no output port {edge.source_port}; {has}."
            self._problem(message, connection_id=edge.id, node_id=source.id, field="source_port_name")
        inputs = _names(target.component.inputs)
        missing = isinstance(target.component, MissingComponent)
        if not missing and edge.target_port not in inputs | {"", "input"}:
            has = f"it has {', '.join(sorted(inputs)) or 'none'}"
            message = f"{target.label} has no input port {edge.target_port}; {has}."
            self._problem(message, connection_id=edge.id, node_id=target.id, field="target_port_name")

    def _cycles(self) -> None:
        successors: list[list[int]] = [[] for _ in self.nodes]
        for edge in self.edges:
            successors[edge.source].append(edge.target)
        for cycle in find_cycles(successors):
            names = " → ".join(self.nodes[index].label for index in [*cycle, cycle[0]])
            self._problem(f"The connections form a cycle: {names}.", node_id=self.nodes[cycle[0]].id)


def parse_workflow(workflow_data: dict[str, Any], registry: Registry, known_hash: str | None = None) -> Graph:
    """Return the graph of a workflow; raises INVALID_WORKFLOW whose details list every problem."""
    parser = _Parser(registry)
    parser.read(workflow_data)
    if parser.problems:
        raise invalid_workflow(parser.problems)
    name = known_hash or workflow_hash(canonical(workflow_data))
    return Graph.build(name, parser.nodes, parser.edges, parser.flow, parser.inputs)


def restore_workflow(workflow_data: dict[str, Any], registry: Registry, known_hash: str) -> Graph:
    """Return the graph of a workflow that was accepted earlier.

    What has become wrong since then (a component was removed, its settings changed) makes the node fail when its
    turn comes, not the whole run disappear.
    """
    parser = _Parser(registry)
    parser.read(workflow_data)
    return Graph.build(known_hash, parser.nodes, parser.edges, parser.flow, parser.inputs)


def check_workflow(workflow_data: dict[str, Any], registry: Registry) -> list[WorkflowProblem]:
    """Return every problem of a workflow; none means that it can run."""
    parser = _Parser(registry)
    parser.read(workflow_data)
    return parser.problems


def invalid_workflow(problems: list[WorkflowProblem]) -> FloworkError:
    """Return the error that lists these problems."""
    first = _sentence(problems[0])
    more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
    details = [problem.model_dump(exclude_none=True) for problem in problems]
    return FloworkError(
        ErrorCode.INVALID_WORKFLOW, f"The workflow cannot run: {first}{more}", details=details
    )


def _sentence(problem: WorkflowProblem) -> str:
    where = problem.node_id or problem.connection_id
    place = ", ".join(part for part in (where, problem.field) if part)
    return f"{problem.problem} [{place}]" if place else problem.problem


def _ports_open(node: Node) -> bool:
    """Tell whether a node's output ports cannot be known before it runs."""
    chosen_by_config = type(node.component).output_ports is not Component.output_ports
    unknown = isinstance(node.component, MissingComponent) or node.component.open_ports
    return unknown or (node.config is None and chosen_by_config)


def _names(ports: tuple[Port, ...]) -> set[str]:
    return {port.name for port in ports}


def _made_up_id(connection: WorkflowConnection, seen: set[str]) -> str:
    """Name a connection that came without an id: the same file always gives the same names."""
    parts = (connection.source, connection.source_port_name, connection.target, connection.target_port_name)
    count = 0
    while True:
        text = "\n".join([*(part or "" for part in parts), str(count)])
        name = f"edge-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        if name not in seen:
            return name
        count += 1
