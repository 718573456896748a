"""What a run was given for trying things out: fixed results of nodes, and connections at which data stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core_engine.workflow.graph import Graph
from shared.errors import ErrorCode, FloworkError

OPTION = "aids"


@dataclass(frozen=True, slots=True)
class Pin:
    """A node's fixed result: payloads as JSON values by port, or the text of the error it fails with."""

    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    @classmethod
    def read(cls, outputs: Mapping[str, Any]) -> Pin:
        """Read what a client gives as a node's result: payloads by port, or ``{"error": "text"}``."""
        error = outputs.get("error")
        return cls(error=error) if len(outputs) == 1 and isinstance(error, str) else cls(outputs)

    def to_option(self) -> dict[str, Any]:
        """Return what is kept with the run."""
        return {"outputs": dict(self.outputs)} if self.error is None else {"error": self.error}


@dataclass(frozen=True, slots=True)
class Aids:
    """The aids of one run, by the numbers of nodes and connections."""

    pins: dict[int, Pin]
    breakpoints: frozenset[int]

    @classmethod
    def read(cls, options: Mapping[str, Any] | None, graph: Graph) -> Aids:
        """Read them from the options of a run that was accepted."""
        kept = (options or {}).get(OPTION)
        if not kept:
            return NO_AIDS
        pins = {
            graph.by_id[node]: Pin(pin.get("outputs", {}), pin.get("error"))
            for node, pin in kept.get("pins", {}).items()
            if node in graph.by_id
        }
        wanted = set(kept.get("breakpoints", ()))
        return cls(pins, frozenset(edge.index for edge in graph.edges if wanted and edge.id in wanted))

    def ahead(self, general: Sequence[bool]) -> Sequence[bool]:
        """Tell for each node whether it needs no place in the journal before its turn: one with a pin never does."""
        if not self.pins:
            return general
        return tuple(ahead or node in self.pins for node, ahead in enumerate(general))


NO_AIDS = Aids({}, frozenset())


def aids_option(
    pins: Mapping[str, Pin], breakpoints: Sequence[str], options: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Return a run's options with these aids, for `core_engine.kernel.ports.StartRun`."""
    kept: dict[str, Any] = {}
    if pins:
        kept["pins"] = {node: pin.to_option() for node, pin in pins.items()}
    if breakpoints:
        kept["breakpoints"] = list(breakpoints)
    others = {name: value for name, value in (options or {}).items() if name != OPTION}
    return {**others, OPTION: kept} if kept else others or None


def check_aids(options: Mapping[str, Any] | None, graph: Graph) -> None:
    """Refuse aids that name what the workflow does not have; raises INVALID_REQUEST."""
    kept = (options or {}).get(OPTION)
    if not kept:
        return
    nodes = [node for node in kept.get("pins", {}) if node not in graph.by_id]
    known = {edge.id for edge in graph.edges}
    edges = [edge for edge in kept.get("breakpoints", ()) if edge not in known]
    if nodes:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"The workflow has no node {nodes[0]} to pin.")
    if edges:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, f"The workflow has no connection {edges[0]} to stop at."
        )
