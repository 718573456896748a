"""Runs of the past, to be done again: which results are kept, and what one more run needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from core_engine.kernel.ports import Rerun, StartRun
from core_engine.storage import EngineStore
from core_engine.workflow import records as r
from core_engine.workflow.aids import aids_option
from core_engine.workflow.archive import Archive, ArchivedRun, summary_of
from core_engine.workflow.library import Library, Prepared
from core_engine.workflow.reproduction import describe_case
from core_engine.workflow.seeding import Obstacle, Redo, Side, plan_seeds, starts_after_failure
from core_engine.workflow.state import RunState
from shared.contract.run import HeldConnection, NodeStatus, RunMode, RunSummary
from shared.errors import ErrorCode, FloworkError

_PREFIX = "rerun:"


class PastRuns:
    """Reads runs in order to do them again; its methods block for the disk."""

    def __init__(self, store: EngineStore, archive: Archive, library: Library) -> None:
        self._store = store
        self._archive = archive
        self._library = library

    def results(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Return what the nodes of a run gave, by node id and port."""
        _, state = self._archive.load_state(run_id)
        return {
            node.id: _outputs(state, node.index) for node in state.graph.nodes if state.outputs[node.index]
        }

    def flow_test(self, run_id: str) -> dict[str, Any]:
        """Return a test file made from a run that has ended."""
        run, state = self._archive.load_state(run_id)
        if state.finished_at is None:
            raise FloworkError(ErrorCode.CONFLICT, f"Run {run_id} has not ended.")
        start = run.accepted.start_node
        results = {node.id: _outputs(state, node.index) for node in state.graph.nodes}
        case = describe_case(run, state, results)
        case["initial_payload"] = state.payloads.load(run.accepted.initial).to_wire()
        if start is not None:
            case["start_node_id"] = state.graph.nodes[start].id
        return {"workflow": _data(run.prepared), "cases": [case]}

    def recorded(self, run_id: str, node_id: str) -> dict[str, dict[str, Any]]:
        """Return a node's recorded payloads by port; NOT_FOUND, or CONFLICT when it has none."""
        _, state = self._archive.load_state(run_id)
        node = state.graph.by_id.get(node_id)
        if node is None:
            raise FloworkError(ErrorCode.NOT_FOUND, f"Run {run_id} has no node {node_id}.")
        outputs = state.outputs[node]
        if not outputs or state.planner.status[node] is not NodeStatus.SUCCESS:
            raise FloworkError(ErrorCode.CONFLICT, f"Node {node_id} has no result in run {run_id}.")
        return _outputs(state, node)

    def reruns(self) -> dict[str, list[RunSummary]]:
        """Return the reruns of every run that has some, by the id of the run done again."""
        found: dict[str, list[RunSummary]] = {}
        for row in self._store.archive.reruns():
            found.setdefault(row.origin.removeprefix(_PREFIX), []).append(summary_of(row))
        return found

    def rerun(self, wish: Rerun) -> StartRun:
        """Return the request that does a run again; raises CONFLICT and INVALID_WORKFLOW."""
        run, state = self._archive.load_state(wish.run_id)
        if state.finished_at is None and run.row.finished_at is None and not wish.of_unfinished:
            message = f"Run {wish.run_id} has not ended; of_unfinished does it again all the same."
            raise FloworkError(ErrorCode.CONFLICT, message)
        data = _data(run.prepared) if wish.workflow_data is None else wish.workflow_data
        mode = wish.mode or state.mode
        redo = self._redo(wish, run, state, data)
        if redo and redo.seeds and state.mode is RunMode.SIMULATE and mode is RunMode.EXECUTE:
            message = (
                f"Run {wish.run_id} was simulated; its results cannot be kept in a run that is executed."
            )
            raise FloworkError(ErrorCode.CONFLICT, message)
        accepted = run.accepted
        first = accepted.start_node
        return StartRun(
            run_id=wish.new_run_id,
            workflow_data=data,
            started_by=wish.by,
            initial_payload=wish.initial_payload or state.payloads.load(accepted.initial),
            mode=mode,
            preset_name=accepted.preset,
            start_node_id=None if first is None else state.graph.nodes[first].id,
            origin=f"{_PREFIX}{wish.run_id}",
            options=aids_option({}, (), accepted.options),
            seeds=redo.seeds if redo else (),
        )

    def _redo(self, wish: Rerun, run: ArchivedRun, state: RunState, data: dict[str, Any]) -> Redo | None:
        if not wish.from_nodes and not wish.from_failed:
            return None
        prepared = self._library.prepare(data)
        first = run.accepted.start_node
        limit = None if first is None else prepared.start_index(state.graph.nodes[first].id)
        new = Side(prepared.graph, data)
        old = Side(state.graph, _data(run.prepared))
        starts = _numbers(new, wish.from_nodes)
        if wish.from_failed:
            starts += starts_after_failure(old, state, new)
            if not starts:
                raise FloworkError(ErrorCode.CONFLICT, f"Nothing of run {wish.run_id} failed.")
        redo = plan_seeds(old, state, new, starts, limit=limit, rerun_changed=wish.rerun_changed)
        if redo.obstacles:
            raise _refused(wish.run_id, redo.obstacles)
        return redo


def held_connections(run: ArchivedRun, state: RunState) -> list[HeldConnection]:
    """Describe where data waits in a run."""
    last = {record.edge: record for record in run.records if isinstance(record, r.BreakpointHit)}
    found = []
    for index in state.planner.at_breakpoints():
        edge, hit = state.graph.edges[index], last.get(index)
        if hit and state.planner.halts.held[index]:
            source, target = (state.graph.nodes[node].id for node in (edge.source, edge.target))
            found.append(
                HeldConnection(
                    connection_id=edge.id,
                    source_node_id=source,
                    target_node_id=target,
                    since=hit.at,
                    preview=hit.preview,
                )
            )
    return found


def _outputs(state: RunState, node: int) -> dict[str, Any]:
    outputs = state.outputs[node] or {}
    return {port: state.payloads.load(stored).to_wire() for port, stored in outputs.items()}


def _data(prepared: Prepared) -> dict[str, Any]:
    return msgspec.json.decode(prepared.body, type=dict[str, Any])


def _numbers(side: Side, node_ids: Sequence[str]) -> list[int]:
    missing = [node for node in node_ids if node not in side.graph.by_id]
    if missing:
        raise FloworkError(ErrorCode.NOT_FOUND, f"The workflow has no node {missing[0]}.")
    return [side.graph.by_id[node] for node in node_ids]


def _refused(run_id: str, obstacles: Sequence[Obstacle]) -> FloworkError:
    first = obstacles[0]
    more = f" ({len(obstacles) - 1} more)" if len(obstacles) > 1 else ""
    message = (
        f"Run {run_id} cannot be done again from there: node {first.node_id} {first.problem}{more}. "
        "rerun_changed does such nodes again too."
    )
    details = [{"node_id": item.node_id, "problem": item.problem} for item in obstacles]
    return FloworkError(ErrorCode.CONFLICT, message, details=details)
