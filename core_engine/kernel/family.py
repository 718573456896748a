"""Runs that a step of another run starts: what it asks for, and what it is told when all have ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

MAX_PARALLEL = 64
MAX_DEPTH_OF_RUNS = 16
"""How deeply runs may start runs; a workflow that calls itself ends there."""
MOST_ERRORS = 100
"""Failed runs that are described one by one; all are counted."""

OnError = Literal["stop", "continue"]


@dataclass(frozen=True, slots=True)
class CalledWorkflow:
    """A saved workflow as it was when it was looked up; the step's record keeps it, so it stays that version."""

    preset: str
    version: int
    workflow_data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChildRuns:
    """The runs a step waits for, one for each item.

    The items are a list, or what the component's `open_items` reads from ``source`` (any JSON object). Each runs
    ``workflow``, or the body of the step's node. A ``wrapped`` item is given to its run as
    ``{"item", "index", "count", "input"}``, another one is the run's data itself. Items are numbered from ``first``.
    ``stop``: the first failure stops the others. ``detached``: the step does not wait for the ends.
    """

    items: Sequence[Any] | None = None
    source: Mapping[str, Any] | None = None
    workflow: CalledWorkflow | None = None
    first: int = 0
    parallel: int = 1
    on_error: OnError = "stop"
    wrapped: bool = True
    detached: bool = False

    def __post_init__(self) -> None:
        """Refuse what could not be carried out."""
        if (self.items is None) == (self.source is None):
            raise ValueError("Runs need either a list of items or a source of them.")
        if not 1 <= self.parallel <= MAX_PARALLEL:
            raise ValueError(f"Between 1 and {MAX_PARALLEL} runs can go on at the same time.")
        if self.first < 0:
            raise ValueError("Items are numbered from 0.")


@dataclass(frozen=True, slots=True)
class FailedRun:
    """An item whose run did not end well; ``job_id`` is None when it could not even start."""

    index: int
    job_id: str | None
    error: str


def _nothing() -> Iterator[tuple[int, Any]]:
    return iter(())


@dataclass(frozen=True, slots=True)
class RunsOutcome:
    """How a step's runs ended.

    ``count`` is how many items were taken up. ``broken`` tells that an item asked for the end of the loop,
    ``error`` why the items could not be gone through to the end. ``results`` reads the results of those that ended
    well, as item number and data in order; it blocks for the disk.
    """

    first: int
    count: int
    succeeded: int
    failed: int
    broken: bool = False
    error: str | None = None
    errors: Sequence[FailedRun] = ()
    job_ids: Sequence[str] = ()
    results: Callable[[], Iterator[tuple[int, Any]]] = field(default=_nothing, compare=False)
