"""Parsed workflows, kept by hash so that starting the same one again costs no parsing."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import msgspec

from core_engine.kernel.ports import Registry
from core_engine.workflow.graph import Graph, canonical, workflow_hash
from core_engine.workflow.parse import invalid_workflow, parse_workflow, restore_workflow
from shared.contract.run import RunMode
from shared.contract.workflow import WorkflowProblem
from shared.errors import ErrorCode, FloworkError

_MANY_NODES = 300
_MOST_BYTES = 32 * 1024 * 1024
_NODE_BYTES = 3000
"""What a node weighs beside its configuration, as it was measured."""


class Prepared:
    """A graph with its canonical JSON and what follows from the mode; ``weight`` is its size in memory, about."""

    __slots__ = ("_ahead", "body", "graph", "weight")

    def __init__(self, graph: Graph, body: bytes) -> None:
        self.graph = graph
        self.body = body
        self.weight = _NODE_BYTES * len(graph.nodes) + 2 * len(body)  # the graph holds what the JSON says too
        self._ahead: dict[RunMode, tuple[bool, ...]] = {}

    def ahead(self, mode: RunMode) -> tuple[bool, ...]:
        """Tell for each node whether its step may run before its start is journaled."""
        found = self._ahead.get(mode)
        if found is None:
            found = self._ahead[mode] = tuple(node.runs_ahead(mode) for node in self.graph.nodes)
        return found

    def start_index(self, node_id: str | None) -> int | None:
        """Return the number of the start node; raises INVALID_WORKFLOW when there is no such node."""
        if node_id is None:
            return None
        found = self.graph.by_id.get(node_id)
        if found is None:
            problem = f"The start node {node_id} does not exist."
            raise invalid_workflow([WorkflowProblem(problem=problem, field="start_node_id")])
        return found


class _Shelf:
    """The most recently used graphs, bounded by what they weigh; the last one is kept whatever it weighs.

    It is used on any thread.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._lock = threading.Lock()
        self._known: dict[str, Prepared] = {}
        self._names: dict[bytes, str] = {}
        self._weight = 0

    def name_of(self, body: bytes) -> str:
        """Return a workflow's name; of one that is here it was worked out before."""
        return self._names.get(body) or workflow_hash(body)

    def take(self, name: str) -> Prepared | None:
        """Return a graph, if the registry still has the very components that it was made with."""
        with self._lock:
            known = self._known.pop(name, None)
            if known is None:
                return None
            if self._current(known.graph):
                self._known[name] = known  # now the most recently used
                return known
            self._forget(known)
            return None

    def put(self, prepared: Prepared) -> None:
        """Keep a graph."""
        with self._lock:
            if replaced := self._known.pop(prepared.graph.hash, None):
                self._forget(replaced)
            self._known[prepared.graph.hash] = prepared
            self._names[prepared.body] = prepared.graph.hash
            self._weight += prepared.weight
            while self._weight > _MOST_BYTES and len(self._known) > 1:
                self._forget(self._known.pop(next(iter(self._known))))

    def _forget(self, prepared: Prepared) -> None:
        self._weight -= prepared.weight
        self._names.pop(prepared.body, None)

    def _current(self, graph: Graph) -> bool:
        find = self._registry.find
        return all(find(name) is component for name, component in graph.components.items())


class Library:
    """Graphs by the hashes of their workflows.

    What was restored is kept apart: it may be one that could not be started any more.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._ready = _Shelf(registry)
        self._restored = _Shelf(registry)

    def prepare(self, workflow_data: dict[str, Any], body: bytes | None = None) -> Prepared:
        """Return a workflow ready to run; raises INVALID_WORKFLOW whose details list every problem.

        ``body`` is its canonical JSON, if that is known. It may be called on any thread: a large workflow takes long
        enough to hold up an event loop.
        """
        try:
            body = body or canonical(workflow_data)
        except (TypeError, ValueError, RecursionError) as error:
            message = f"The workflow is no JSON value: {error}"
            raise FloworkError(ErrorCode.INVALID_WORKFLOW, message) from error
        name = self._ready.name_of(body)
        if known := self._ready.take(name):
            return known
        prepared = Prepared(parse_workflow(workflow_data, self._registry, name), body)
        self._ready.put(prepared)
        return prepared

    async def prepared(self, workflow_data: dict[str, Any], body: bytes | None = None) -> Prepared:
        """Do the same as `prepare` without holding up the event loop for a large workflow."""
        nodes = workflow_data.get("nodes")
        if isinstance(nodes, list) and len(nodes) > _MANY_NODES:
            return await asyncio.to_thread(self.prepare, workflow_data, body)
        return self.prepare(workflow_data, body)

    def restore(self, name: str, body: bytes) -> Prepared:
        """Return a workflow that was accepted earlier, whatever has become of its components."""
        if known := self._ready.take(name) or self._restored.take(name):
            return known
        if workflow_hash(body) != name:
            message = f"The workflow {name} in the journal is not what it was when its runs began."
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message)
        try:
            data = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError) as error:
            message = f"The workflow {name} in the journal is unreadable: {error}"
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message) from error
        prepared = Prepared(restore_workflow(data, self._registry, name), body)
        if not any(node.defect for node in prepared.graph.nodes):  # else it may be mended meanwhile
            self._restored.put(prepared)
        return prepared
