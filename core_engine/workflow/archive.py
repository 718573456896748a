"""Runs as they stand in the journal: loaded for recovery, for reading and for late followers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msgspec

from core_engine.kernel.component import StepPolicy
from core_engine.kernel.suspension import Ending
from core_engine.storage import EngineStore, RunRow
from core_engine.workflow import records as r
from core_engine.workflow.journal import LARGE, Payloads, decode_segments, encode_payload
from core_engine.workflow.library import Library, Prepared
from core_engine.workflow.planner import Planner
from core_engine.workflow.state import RunState
from shared.contract.run import NodeState, NodeStatus, RunMode, RunStatus, RunSummary
from shared.contract.wait import StepAnswer, StepWait
from shared.errors import ErrorCode, FloworkError

Facts = dict[str, object]
_ENDED = (r.StepFinished, r.StepPassed, r.StepFailed, r.StepUnknown, r.StepCancelled)


@dataclass(frozen=True, slots=True)
class ArchivedRun:
    """A run with all its records; ``rounds`` is how many rounds have begun."""

    row: RunRow
    prepared: Prepared
    records: list[r.AnyRecord]
    rounds: int = 1

    @property
    def accepted(self) -> r.RunAccepted:
        """The first record."""
        first = self.records[0]
        if not isinstance(first, r.RunAccepted):
            raise TypeError("a decoded journal begins with the acceptance")
        return first


class Archive:
    """Reads runs; its methods block for the disk and may be called on any thread."""

    def __init__(self, store: EngineStore, library: Library) -> None:
        self._store = store
        self._library = library

    def load(self, run_id: str) -> ArchivedRun:
        """Return a run with its records; raises NOT_FOUND, or JOURNAL_CORRUPT naming what is damaged."""
        journal = self._store.archive.journal(run_id)
        if journal is None:
            raise unknown_run(run_id)
        row = journal.run
        records = decode_segments(journal.segments, row.id, row.records)
        prepared = self._library.restore(row.workflow, journal.workflow)
        run = ArchivedRun(row, prepared, records)
        graph, accepted = prepared.graph, run.accepted
        if (len(graph.nodes), len(graph.edges)) != (accepted.nodes, accepted.edges):
            message = f"The workflow of run {row.id} cannot be read as it was accepted."
            raise FloworkError(ErrorCode.JOURNAL_CORRUPT, message)
        return run

    def load_state(self, run_id: str, round_number: int | None = None) -> tuple[ArchivedRun, RunState]:
        """Return a run with its records and the state they amount to; raises like `load`.

        With a round (from 1) the records end with that round; NOT_FOUND when there was no such one.
        """
        run = self.load(run_id)
        if round_number is not None:
            run = replace(run, records=until_round(run, round_number), rounds=_rounds(run.records))
        elif run.prepared.graph.flow.rounds > 1:
            run = replace(run, rounds=_rounds(run.records))
        return run, self.state(run)

    def state(self, run: ArchivedRun) -> RunState:
        """Fold a run's records into its state."""
        payloads = Payloads(run.row.number, self._store.blobs.read, restored=True)
        graph, mode = run.prepared.graph, RunMode(run.accepted.mode)
        state = RunState(graph, run.accepted, payloads, run.prepared.ahead(mode))
        for record in run.records[1:]:
            state.apply(record)
        return state


def unknown_run(run_id: str) -> FloworkError:
    """Return the error for a run that does not exist."""
    return FloworkError(ErrorCode.NOT_FOUND, f"There is no run {run_id}.")


def summary_of(row: RunRow) -> RunSummary:
    """Return a summary as clients see it."""
    return RunSummary(
        job_id=row.id,
        preset_name=row.preset,
        mode=RunMode(row.mode),
        status=RunStatus(row.status),
        started_by=row.started_by,
        started_at=row.started_at,
        finished_at=row.finished_at,
        workflow_hash=row.workflow,
        error_message=row.error,
        origin=row.origin,
        parent_job_id=row.parent,
        parent_node_id=row.parent_node,
        item=row.item,
    )


def shown_result(row: RunRow, state: RunState) -> dict[str, Any]:
    """Return the data that a run gave, unless it is too large to be shown, and its size; blocks for the disk."""
    if row.result is None:
        return {}
    payload = state.payloads.load(msgspec.Raw(row.result))
    size = len(encode_payload(payload))
    return {"result": payload.data if size <= LARGE else None, "result_bytes": size}


def last_policies(records: list[r.AnyRecord]) -> dict[int, StepPolicy]:
    """Return the policy under which each step was last started."""
    return {record.node: StepPolicy(record.policy) for record in records if isinstance(record, r.StepStarted)}


def _rounds(records: list[r.AnyRecord]) -> int:
    return 1 + sum(isinstance(record, r.RoundStarted) for record in records)


def until_round(run: ArchivedRun, number: int) -> list[r.AnyRecord]:
    """Return the records to the end of a round (from 1); raises NOT_FOUND when there was no such one."""
    begins = [place for place, record in enumerate(run.records) if isinstance(record, r.RoundStarted)]
    if not 1 <= number <= len(begins) + 1:
        raise FloworkError(ErrorCode.NOT_FOUND, f"Run {run.row.id} has had no round {number}.")
    return run.records[: [*begins, len(run.records)][number - 1]]


def node_states(run: ArchivedRun, state: RunState) -> list[NodeState]:
    """Describe every node of a run."""
    facts: list[Facts] = [{} for _ in state.graph.nodes]
    for record in run.records:
        _take_in(record, facts)
    policies = last_policies(run.records)
    planner = state.planner
    described = []
    for node, fact in zip(state.graph.nodes, facts, strict=True):
        status = planner.status[node.index]
        if status in {NodeStatus.RUNNING, NodeStatus.RETRYING, NodeStatus.WAITING}:
            fact.pop("finished_at", None)
        policy = policies.get(node.index, node.policy(state.mode))
        described.append(
            NodeState(
                node_id=node.id,
                name=node.name,
                module_id=node.module_id,
                status=status,
                attempts=planner.attempts[node.index],
                guarantee=policy.value,
                usage=state.usage.of_node(node.index),
                iterations=_iterations(planner, node.index),
                next_at=planner.naps.get(node.index),
                **fact,
                **_wait_facts(state, node.index),
            )
        )
    return described


def _iterations(planner: Planner, node: int) -> int | None:
    """Return how often a looping node has run well, None for one that did not loop."""
    ended = planner.iterations.get(node)
    return None if ended is None else ended + (planner.status[node] is NodeStatus.SUCCESS)


def _take_in(record: r.AnyRecord, facts: list[Facts]) -> None:
    """Note what a record says of the times and errors of its node."""
    if isinstance(record, r.StepStarted):
        facts[record.node].setdefault("started_at", record.at)
    elif isinstance(record, r.StepRan):
        known = facts[record.node]
        known.setdefault("started_at", record.at)
        known |= {"finished_at": record.at + round(record.ms), "execution_time_ms": record.ms, "error": None}
    elif isinstance(record, r.StepLooped):
        known = facts[record.node]
        known.setdefault("started_at", record.at - round(record.ms))
        known |= {"execution_time_ms": record.ms, "error": None}
    elif isinstance(record, r.StepSeeded):
        facts[record.node] |= {"seeded_from": record.source, "pinned": record.pinned or None}
        facts[record.node] |= {"finished_at": record.at, "error": record.error}
    elif isinstance(record, _ENDED):
        known = facts[record.node]
        known["error"] = getattr(record, "error", None)
        known["execution_time_ms"] = getattr(record, "ms", None)
        known["finished_at"] = record.at
    elif isinstance(record, r.RoundStarted):
        for known in facts:
            known.clear()


def _wait_facts(state: RunState, node: int) -> dict[str, object]:
    """Return what a node waits for, and who ended its last wait."""
    facts: dict[str, object] = {}
    wait, answer = state.planner.waits.get(node), state.planner.answers.get(node)
    if wait:
        prompt = wait.prompt or {}
        event = wait.event or {}
        facts["waiting"] = StepWait(
            id=wait.wait_id,
            signal=wait.signal,
            until=wait.until,
            event=event.get("name") or None,
            correlation=event.get("correlation") or None,
            token=event.get("token"),
            **prompt,
        )
    if answer and answer.by and answer.proof:
        facts["answered_by"] = StepAnswer(
            address=answer.by,
            approved=answer.ending == Ending.APPROVED.value,
            comment=answer.comment,
            answered_at=answer.at,
            **answer.proof,
        )
    return facts


def connection_payloads(run: ArchivedRun, state: RunState, connection_id: str) -> list[dict[str, Any]]:
    """Return every payload that went along a connection, oldest first; raises NOT_FOUND for an unknown one."""
    edge = next((edge for edge in state.graph.edges if edge.id == connection_id), None)
    if edge is None:
        message = f"Run {run.row.id} has no connection {connection_id}."
        raise FloworkError(ErrorCode.NOT_FOUND, message)
    taken = (record for record in run.records if edge.index in getattr(record, "taken", ()))
    return [state.carried(edge.index, record.outputs).to_wire() for record in taken]  # type: ignore[union-attr]
