"""What the runs of one waiting step are made of, and what they need of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from core_engine.kernel.ports import StartRun
from core_engine.storage.families import ChildRow
from core_engine.workflow import children
from core_engine.workflow.library import Prepared
from core_engine.workflow.run import LiveRun


class Home(Protocol):
    """What the runs of a step need of the engine."""

    def open(self, request: StartRun, prepared: Prepared) -> LiveRun:
        """Set a new run going; raises RATE_LIMITED when a detached one finds no room."""
        ...

    def live(self, run_id: str) -> LiveRun | None:
        """Return a run that has not ended."""
        ...

    def rows(self, parent: str, node: str, first: int, end: int) -> list[ChildRow]:
        """Return what the journal knows of some items; blocks."""
        ...

    def broke(self, run_id: str) -> bool:
        """Tell whether an ended run asked for the end of its loop; blocks."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What the runs of a step are made of."""

    spec: children.Spec
    naming: children.Naming
    prepared: Prepared
    depth: int
    given: Any
    items: Iterator[Any]
    attempt: int

    @property
    def may_break(self) -> bool:
        """Whether the workflow has a step that can end the loop."""
        return any(item.ends_loop for item in self.prepared.graph.components.values())
