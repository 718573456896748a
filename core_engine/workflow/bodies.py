"""Takes the bodies of loop nodes out of a workflow: each becomes a workflow of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core_engine.kernel.family import MAX_DEPTH_OF_RUNS
from shared.contract.workflow import WorkflowProblem

Raw = Mapping[str, Any]
_PARENT_NAMES = ("parent_id", "parentId")
_ENDS = (("source", "from"), ("target", "to"))


@dataclass(slots=True)
class Parted:
    """A workflow without the nodes inside others, and those as bodies by the id of the node they stand in.

    A body's own loops keep their bodies inside it; it is parted when it is read itself.
    """

    nodes: list[Any]
    connections: list[Any]
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[WorkflowProblem] = field(default_factory=list)


def part(nodes: list[Any], connections: list[Any]) -> Parted:
    """Part a workflow's nodes and connections, as they came; what is malformed stays outside, to be reported."""
    parents = _parents(nodes)
    if not parents:
        return Parted(nodes, connections)
    ids = {node["id"] for node in nodes if _named(node)}
    problems = _duplicates(nodes)
    roots: dict[str, tuple[str, ...]] = {}
    for name in parents:
        line = _line(name, parents, ids)
        if isinstance(line, WorkflowProblem):
            problems.append(line)
        else:
            roots[name] = line
    parted = Parted([], [], problems=problems)
    for node in nodes:
        _place_node(node, parents, roots, parted)
    for position, connection in enumerate(connections):
        _place_connection(connection, position, roots, parted)
    return parted


def parent_of(node: Any) -> str | None:
    """Return the id of the node that a node stands in."""
    if not isinstance(node, Mapping):
        return None
    found = next((node[name] for name in _PARENT_NAMES if node.get(name)), None)
    return found if isinstance(found, str) else None


def _named(node: Any) -> bool:
    return isinstance(node, Mapping) and isinstance(node.get("id"), str)


def _parents(nodes: list[Any]) -> dict[str, str]:
    return {node["id"]: parent for node in nodes if _named(node) and (parent := parent_of(node)) is not None}


def _duplicates(nodes: list[Any]) -> list[WorkflowProblem]:
    """Report ids that are used both inside and outside of a body: runs and logs could not tell them apart."""
    seen: dict[str, str | None] = {}
    problems = []
    for node in filter(_named, nodes):
        place = parent_of(node)
        if seen.setdefault(node["id"], place) != place:
            problems.append(WorkflowProblem(problem="Another node has the same id.", node_id=node["id"]))
    return problems


def _line(name: str, parents: Mapping[str, str], ids: set[str]) -> tuple[str, ...] | WorkflowProblem:
    """Return the nodes around a node, the outermost first, or what is wrong with them."""
    line: list[str] = []
    inner = name
    while (outer := parents.get(inner)) is not None:
        if outer not in ids:
            text = f"It stands inside a node that does not exist: {outer}."
            return WorkflowProblem(problem=text, node_id=name, field="parent_id")
        if outer == name or outer in line:
            text = f"The nodes stand inside one another: {name} and {outer}."
            return WorkflowProblem(problem=text, node_id=name, field="parent_id")
        line.append(outer)
        if len(line) > MAX_DEPTH_OF_RUNS:
            text = f"Loops can stand at most {MAX_DEPTH_OF_RUNS} deep inside one another."
            return WorkflowProblem(problem=text, node_id=name, field="parent_id")
        inner = outer
    return tuple(reversed(line))


def _place_node(
    node: Any, parents: Mapping[str, str], roots: Mapping[str, tuple[str, ...]], parted: Parted
) -> None:
    name = node["id"] if _named(node) else None
    line = roots.get(name, ()) if name is not None else ()
    if name is None or not line or parent_of(node) is None:
        if name is None or name not in parents or name in roots:
            parted.nodes.append(node)
        return
    body = parted.bodies.setdefault(line[0], {"nodes": [], "connections": []})
    if parents.get(name) == line[0]:
        node = {key: value for key, value in node.items() if key not in _PARENT_NAMES}
    body["nodes"].append(node)


def _place_connection(
    connection: Any, position: int, roots: Mapping[str, tuple[str, ...]], parted: Parted
) -> None:
    ends = _ends_of(connection)
    places = {roots.get(end, ()) for end in ends}
    if len(places) < 2:
        line = next(iter(places), ())
        if line:
            parted.bodies[line[0]]["connections"].append(connection)
        else:
            parted.connections.append(connection)
        return
    given = connection.get("id")
    name = given if isinstance(given, str) and given else f"connections[{position}]"
    text = f"The connection crosses the border of a loop: {' → '.join(ends)}. What is inside stays inside."
    parted.problems.append(WorkflowProblem(problem=text, connection_id=name))


def _ends_of(connection: Any) -> list[str]:
    if not isinstance(connection, Mapping):
        return []
    ends = [next((connection[name] for name in names if name in connection), None) for names in _ENDS]
    return [end for end in ends if isinstance(end, str)]
