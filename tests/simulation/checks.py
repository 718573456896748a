"""What must be true of every journal, whatever happened while it was written (P1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core_engine.storage import RunRow
from core_engine.storage.reader import Reader, RunFilter
from core_engine.workflow import records as r
from core_engine.workflow.archive import Archive, ArchivedRun
from core_engine.workflow.library import Library
from core_engine.workflow.projection import Projection
from shared.contract.run import RunStatus

_STARTS = (r.StepStarted, r.StepRan, r.StepPassed)
_SETTLES = (r.StepRan, r.StepFinished, r.StepPassed, r.StepUnknown, r.StepCancelled)


class _Reading:
    """What the archive needs of a store."""

    def __init__(self, reader: Reader, blobs: Any) -> None:
        self.archive = self.reads = reader
        self.blobs = blobs


class Books:
    """All runs of a journal, read as the product reads them, and judged by rules of the tests' own."""

    def __init__(self, reader: Reader, blobs: Any, registry: Any) -> None:
        self.reader = reader
        store: Any = _Reading(reader, blobs)
        self.archive = Archive(store, Library(registry))
        rows = reader.query("SELECT id FROM run ORDER BY number")
        self.rows: list[RunRow] = [row for (name,) in rows if (row := reader.run(name))]
        self._frames: dict[str, list[dict[str, Any]]] = {}

    def problems(self) -> Iterator[str]:
        """Yield everything that is wrong once all runs are to have ended."""
        ends = {row.id: row.finished_at is not None for row in self.rows}
        for row in self.rows:
            if not RunStatus(row.status).final or row.finished_at is None:
                yield f"{row.id} has not ended: {row.status}"
            if row.parent and ends.get(row.parent) and not ends[row.id]:
                yield f"{row.parent} ended before its run {row.id}"
            run, state = self.archive.load_state(row.id)
            if (state.status.value, state.error, state.records) != (row.status, row.error, row.records):
                yield f"{row.id}: the row says {row.status}, the records {state.status.value}"
            self._frames[row.id] = frames = frames_of(run)
            yield from (f"{row.id}: {text}" for text in judge(run, frames))

    def frames(self, run_id: str) -> list[dict[str, Any]]:
        """Return the events of a run, as its records give them; `problems` was asked before."""
        return self._frames[run_id]

    def count_parked(self) -> int:
        return int(self.reader.query("SELECT count(*) FROM parked")[0][0])


def frames_of(run: ArchivedRun) -> list[dict[str, Any]]:
    """Return the events that a run's records give."""
    return Projection(run.row.id, run.prepared.graph, run.row.started_at).frames(run.records)


def judge(run: ArchivedRun, frames: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what is wrong with one run's records and events."""
    if [frame["seq"] for frame in frames] != list(range(1, len(frames) + 1)):
        yield "its events have gaps"
    ends = [place for place, record in enumerate(run.records) if isinstance(record, r.RunFinished)]
    if ends not in ([], [len(run.records) - 1]):
        yield "something follows its end"
    yield from _Order(run).problems()


class _Order:
    """The order of a run's steps, judged by its connections alone."""

    def __init__(self, run: ArchivedRun) -> None:
        self._run = run
        self._graph = run.prepared.graph
        self._reset()
        self._stopping = self._paused = False
        self._finale = False

    def _reset(self) -> None:
        self._settled: set[int] = set()
        self._taken: set[int] = set()
        self._open: set[int] = set()
        self._failures: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def problems(self) -> Iterator[str]:
        for record in self._run.records:
            if isinstance(record, r.RoundStarted):
                self._reset()
            elif isinstance(record, (r.StopRequested, r.DeadlinePassed)):
                self._stopping, self._paused = True, False
            elif isinstance(record, r.FinallyStarted):
                self._finale, self._stopping = True, False
            elif isinstance(record, (r.RunPaused, r.RunResumed)):
                self._paused = isinstance(record, r.RunPaused)
            elif isinstance(record, r.StepLooped):
                self._open.discard(record.node)
                self._failures.pop(record.node, None)
                self._last.pop(record.node, None)
            else:
                yield from self._step(record)
        if self._open and self._run.row.finished_at is not None:
            yield f"it ended while steps {sorted(self._open)} had not"

    def _step(self, record: Any) -> Iterator[str]:
        node = getattr(record, "node", None)
        if node is None:
            return
        if isinstance(record, _STARTS):
            yield from self._start(record, node)
        if isinstance(record, r.StepSuspended | r.StepInterrupted):
            self._open.discard(node)
        if isinstance(record, r.StepFailed):
            self._open.discard(node)
            self._failures[node] = self._failures.get(node, 0) + 1
            if self._failures[node] > self._graph.nodes[node].retry.attempts + 1:
                yield f"step {node} failed {self._failures[node]} times"
            if record.retry_at is None:
                yield from self._settle(record, node)
        elif isinstance(record, _SETTLES):
            self._open.discard(node)
            yield from self._settle(record, node)

    def _start(self, record: Any, node: int) -> Iterator[str]:
        if self._stopping:
            yield f"step {node} starts after the stop"
        if self._paused:
            yield f"step {node} starts while the run is paused"
        if node in self._settled:
            yield f"step {node} starts after its end"
        if isinstance(record, r.StepStarted):
            if node in self._open:
                yield f"step {node} starts while it runs"
            self._open.add(node)
        attempt = getattr(record, "attempt", 0)
        if attempt and attempt < self._last.get(node, 0):
            yield f"attempt {attempt} of step {node} comes after {self._last[node]}"
        self._last[node] = attempt
        rule = self._graph.nodes[node].join
        if rule.mode == "all" and not rule.timeout_seconds and not self._finale:
            early = [edge for edge in self._graph.incoming[node] if not self._is_resolved(edge)]
            if early:
                yield f"step {node} starts before what leads to it ({early}) is known"

    def _settle(self, record: Any, node: int) -> Iterator[str]:
        if node in self._settled:
            yield f"step {node} ends twice"
        self._settled.add(node)
        self._taken.update(getattr(record, "taken", ()))

    def _is_resolved(self, edge: int) -> bool:
        source = self._graph.edges[edge].source
        return source in self._settled or self._is_dead(source)

    def _is_dead(self, node: int) -> bool:
        incoming = self._graph.incoming[node]
        return bool(incoming) and all(
            edge not in self._taken and self._is_resolved(edge) for edge in incoming
        )


def find_runs(reader: Reader) -> list[RunRow]:
    """Return the newest runs that no other run started."""
    return reader.runs(RunFilter(limit=100))
