"""Owns the runs that waiting steps of other runs have started, however deep, from their start to their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from core_engine.kernel.family import MAX_DEPTH_OF_RUNS, RunsOutcome
from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import StartRun
from core_engine.storage import EngineStore
from core_engine.storage.families import ChildRow, FamilyTable
from core_engine.workflow import children
from core_engine.workflow import records as r
from core_engine.workflow.archive import Archive
from core_engine.workflow.brood import Brood, pauser
from core_engine.workflow.conductor import Conductor
from core_engine.workflow.delivery import Delivery
from core_engine.workflow.journal import Payloads, encode_payload
from core_engine.workflow.library import Library, Prepared
from core_engine.workflow.plans import Plan
from core_engine.workflow.run import LiveRun
from shared.errors import ErrorCode, FloworkError

_LOG = logging.getLogger(__name__)
_PAGE = 256
NewRun = Callable[[StartRun, Prepared], LiveRun]


@dataclass(slots=True, eq=False)
class _Nursing:
    """One wait for runs, with the task that looks after it; the brood is there once its plan is made."""

    node: int
    wait: r.StepSuspended
    task: asyncio.Task[None] | None = None
    brood: Brood | None = None


class Family:
    """The engine's `Household`: a task for each step that waits for runs.

    After a crash nothing is remembered but the journal: a step's wait, and the rows of its runs.
    """

    def __init__(
        self, store: EngineStore, library: Library, archive: Archive, conductor: Conductor, delivery: Delivery
    ) -> None:
        self._table = FamilyTable(store.archive)
        self._blobs = store.blobs
        self._library = library
        self._archive = archive
        self._conductor = conductor
        self._delivery = delivery
        self._nursings: dict[str, list[_Nursing]] = {}
        self._kids: set[str] = set()
        self._complete = asyncio.Event()
        self._complete.set()
        self._new_run: NewRun | None = None
        self._most = 0

    def settle_in(self, new_run: NewRun, most_open: int) -> None:
        """Say how a run is made, and how many may be open besides those that a step waits for."""
        self._new_run = new_run
        self._most = most_open

    @property
    def roots(self) -> int:
        """How many unfinished runs there are that no step waits for."""
        return len(self._conductor.runs) - len(self._kids)

    def recovering(self) -> None:
        """Take no step further until all unfinished runs are there again."""
        self._complete.clear()

    def recovered(self) -> None:
        """Go on: all unfinished runs are there."""
        self._complete.set()

    def take_back(self, run: LiveRun) -> None:
        """Take a recovered run in, after its parent; one that nobody waits for any more is stopped."""
        accepted = run.state.accepted
        if accepted.parent is None or _is_detached(run):
            return
        self._kids.add(run.id)
        if not self._is_wanted(run, *accepted.parent):
            run.stop(pauser(accepted.parent[0]))

    def begin(self, run: LiveRun, node: int) -> None:
        """Look after the runs that a step waits for."""
        wait = run.state.planner.waits.get(node)
        if wait is None or not wait.runs or run.held:
            return
        nursing = _Nursing(node, wait)
        self._nursings.setdefault(run.id, []).append(nursing)
        name = f"runs of {run.id} {run.state.graph.nodes[node].id}"
        nursing.task = asyncio.create_task(self._nurse(run, nursing), name=name)
        nursing.task.add_done_callback(partial(self._note_end, run, nursing))

    def look(self, run: LiveRun) -> None:
        """Stop the runs of steps that do not wait for them any more."""
        for nursing in self._nursings.get(run.id, ()):
            if run.state.planner.waits.get(nursing.node) is not nursing.wait:
                if nursing.brood:
                    nursing.brood.abandon()
                elif nursing.task:
                    nursing.task.cancel()

    def retired(self, run: LiveRun, error: FloworkError | None) -> None:
        """Take note that a run has ended, or (with the error) is given up in this process."""
        self._kids.discard(run.id)
        parent = run.state.accepted.parent
        for nursing in self._nursings.get(parent[0], ()) if parent else ():
            if nursing.brood:
                nursing.brood.ended(run, error)
        if error:
            for nursing in self._nursings.get(run.id, ()):
                if nursing.task:
                    nursing.task.cancel()

    def paused(self, run: LiveRun) -> None:
        """Pause the runs of a run's steps."""
        for child in self._running(run):
            child.pause(pauser(run.id))

    def resumed(self, run: LiveRun) -> None:
        """Let them go on, and further ones start."""
        for child in self._running(run):
            child.resume(pauser(run.id))
        for nursing in self._nursings.get(run.id, ()):
            if nursing.brood:
                nursing.brood.wake()

    def outcome(self, run: LiveRun, record: r.StepResumed) -> RunsOutcome | None:
        """Return how a step's runs ended, with their results to be read."""
        kept = record.outcome
        if kept is None:
            return None
        turn = children.turn_of(run.state, record.node)
        naming = children.Naming(run.id, run.state.graph.nodes[record.node].id, kept["digest"], turn)
        span = (kept["first"], kept["first"] + kept["count"])
        return children.recorded_outcome(kept, partial(self._results, naming, record.attempt, *span))

    async def close(self) -> None:
        """End every task; at the next start all goes on."""
        tasks = [item.task for items in self._nursings.values() for item in items if item.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def open(self, request: StartRun, prepared: Prepared) -> LiveRun:
        """Set a run of a step going; see `Home`."""
        if self._new_run is None:
            raise TypeError("settle_in comes first")
        detached = bool((request.options or {}).get(children.DETACHED))
        if detached and self.roots >= self._most:
            raise FloworkError(ErrorCode.RATE_LIMITED, "The engine has too many unfinished runs.")
        if request.run_id in self._conductor.runs:
            raise FloworkError(ErrorCode.CONFLICT, f"A run {request.run_id} exists already.")
        if request.parent:
            self._delivery.follow_child(request.parent.run_id, request.run_id)
        if not detached:
            self._kids.add(request.run_id)
        return self._new_run(request, prepared)

    def live(self, run_id: str) -> LiveRun | None:
        """Return a run that has not ended."""
        return self._conductor.runs.get(run_id)

    def children_of(self, run_id: str) -> list[str]:
        """Return the unfinished runs that a run's steps have started."""
        runs = self._conductor.runs.values()
        return [run.id for run in runs if (run.state.accepted.parent or ("",))[0] == run_id]

    def rows(self, parent: str, node: str, first: int, end: int) -> list[ChildRow]:
        """Return what the journal knows of some items; blocks."""
        return self._table.children(parent, node, first, end)

    def broke(self, run_id: str) -> bool:
        """Tell whether an ended run asked for the end of its loop; blocks."""
        return children.asks_for_end(self._archive.load_state(run_id)[1])

    def _running(self, run: LiveRun) -> Iterator[LiveRun]:
        for nursing in self._nursings.get(run.id, ()):
            for name in list(nursing.brood.running) if nursing.brood else ():
                child = self.live(name)
                if child and not _is_detached(child):
                    yield child

    async def _nurse(self, run: LiveRun, nursing: _Nursing) -> None:
        await self._complete.wait()
        spec = _spec_of(run, nursing.wait)
        try:
            plan = await self._plan(run, nursing, spec)
        except FloworkError as error:
            if run.state.planner.waits.get(nursing.node) is nursing.wait and not run.held:
                run.end_runs(nursing.node, RunsOutcome(spec.first, 0, 0, 0, error=error.message), spec.digest)
            return
        nursing.brood = Brood(run, nursing.node, nursing.wait, plan, self)
        await nursing.brood.work()

    async def _plan(self, run: LiveRun, nursing: _Nursing, spec: children.Spec) -> Plan:
        node, wait = run.state.graph.nodes[nursing.node], nursing.wait
        depth = int((run.state.accepted.options or {}).get(children.DEPTH, 0)) + 1
        if depth > MAX_DEPTH_OF_RUNS:
            text = f"{node.label} would start runs more than {MAX_DEPTH_OF_RUNS} deep inside one another."
            raise FloworkError(ErrorCode.INVALID_WORKFLOW, f"{text} Does the workflow call itself?")
        workflow = spec.workflow or node.body
        if workflow is None:
            raise FloworkError(ErrorCode.INVALID_WORKFLOW, f"{node.label} has no body.")
        prepared = await self._library.prepared(workflow)
        items = (
            iter(spec.items)
            if spec.items is not None
            else node.component.open_items(run.env.files, spec.source or {})
        )
        naming = children.Naming(run.id, node.id, spec.digest, children.turn_of(run.state, node.index))
        given = _given(run, node.index) if spec.wrapped else None
        return Plan(spec, naming, prepared, depth, given, items, wait.attempt)

    def _note_end(self, run: LiveRun, nursing: _Nursing, task: asyncio.Task[None]) -> None:
        left = self._nursings.get(run.id, [])
        if nursing in left:
            left.remove(nursing)
        if not left:
            self._nursings.pop(run.id, None)
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("The runs of a step are not looked after.", extra={"run": run.id}, exc_info=error)
            if not run.held and not run.finished:
                run.stop("engine")

    def _is_wanted(self, run: LiveRun, parent_id: str, node_id: str, item: int) -> bool:
        parent = self.live(parent_id)
        node = parent.state.graph.by_id.get(node_id) if parent else None
        if parent is None or node is None:
            return False
        wait = parent.state.planner.waits.get(node)
        if wait is None or not wait.runs:
            return False
        turn = children.turn_of(parent.state, node)
        naming = children.Naming(parent_id, node_id, _spec_of(parent, wait).digest, turn)
        return run.id == naming.run_id(wait.attempt, item)

    def _results(
        self, naming: children.Naming, attempt: int, first: int, end: int
    ) -> Iterator[tuple[int, Any]]:
        payloads = Payloads(0, self._blobs.read, restored=True)
        for start in range(first, end, _PAGE):
            last = -1
            for name, item, stored in self._table.results(
                naming.parent, naming.node, start, min(start + _PAGE, end)
            ):
                if item != last and name in naming.earlier(attempt, item):
                    last = item
                    payload = payloads.load(msgspec.Raw(stored)) if stored else Payload()
                    yield item, payload.data


def _spec_of(run: LiveRun, wait: r.StepSuspended) -> children.Spec:
    payloads, stored = run.state.payloads, wait.runs or {}
    spec = children.decode_spec(payloads.load(stored[children.SPEC]))
    payloads.release(stored)
    return spec


def _given(run: LiveRun, node: int) -> Any:
    """Return what a loop hands on of its own input: all of it or, when that is large, nothing."""
    data = run.state.given(node).payload.data
    if len(encode_payload(Payload(data))) <= children.LARGEST_INPUT:
        return data
    text = f"The input is larger than {children.LARGEST_INPUT} bytes, so the items get null as their input."
    label, state = run.state.graph.nodes[node].label, run.state
    run.record(r.LogWritten(state.next_seq, run.now(), node, "WARN", label, text))
    return None


def _is_detached(run: LiveRun) -> bool:
    return bool((run.state.accepted.options or {}).get(children.DETACHED))
