"""What can be read of runs without touching them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from core_engine.kernel.ports import Frame, Rerun, RunFailure, StartRun
from core_engine.kernel.preview import PreviewWish
from core_engine.storage import EngineStore, RunFilter, RunRow
from core_engine.workflow import archive as kept
from core_engine.workflow.archive import Archive
from core_engine.workflow.failures import mask_value
from core_engine.workflow.past import PastRuns, held_connections
from core_engine.workflow.previews import Previews
from core_engine.workflow.projection import status_frame
from shared.clock import iso
from shared.contract.expression import ExpressionPreview
from shared.contract.run import NodeState, RunDetails, RunStatus, RunSummary
from shared.contract.wait import StepWait
from shared.errors import ErrorCode, FloworkError


class RunReading:
    """The part of the run service that reads the journal."""

    def __init__(
        self, store: EngineStore, archive: Archive, past: PastRuns, secrets: Callable[[], Sequence[str]]
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._archive = archive
        self._past = past
        self._previews = Previews(archive)

    def starter(self, run_id: str) -> str | None:
        """Return the address that started a run; None where there is no such run."""
        row = self._store.reads.run(run_id)
        return row.started_by if row else None

    def summary(self, run_id: str) -> RunSummary:
        """Return a run's summary."""
        return kept.summary_of(self._row(run_id))

    async def details(self, run_id: str, round_number: int | None = None) -> RunDetails:
        """Return a run with its nodes, as the journal has it, or as it had them at the end of a round (from 1).

        The values of secrets are masked in what it gave and in what it waits for.
        """
        run, state = await asyncio.to_thread(self._archive.load_state, run_id, round_number)
        rounds: dict[str, int] = {}
        if state.graph.flow.rounds > 1:
            rounds = {"round": state.planner.round + 1, "rounds": run.rounds}
        return RunDetails(
            run=kept.summary_of(run.row),
            nodes=[self._masked(node) for node in kept.node_states(run, state)],
            last_seq=run.row.last_seq,
            usage=state.usage.of_run(),
            at_breakpoints=held_connections(run, state),
            **mask_value(await asyncio.to_thread(kept.shown_result, run.row, state), self._secrets()),
            **rounds,
        )

    def _masked(self, node: NodeState) -> NodeState:
        if node.waiting is None or not (hidden := self._secrets()):
            return node
        shown = StepWait(**mask_value(node.waiting.model_dump(), hidden))
        return node.model_copy(update={"waiting": shown})

    async def failure(self, run_id: str) -> RunFailure:
        """Return what is known of a run that failed."""
        _, state = await asyncio.to_thread(self._archive.load_state, run_id)
        return RunFailure(state.graph.flow.settings.error_preset, state.failed_nodes())

    async def preview(self, wish: PreviewWish) -> ExpressionPreview:
        """Return what a text with expressions gives; see `Runs.preview`."""
        return await self._previews.preview(wish)

    async def rerun_request(self, wish: Rerun) -> StartRun:
        """Return the request that does a run again; see `Runs.rerun_request`."""
        return await asyncio.to_thread(self._past.rerun, wish)

    async def recorded(self, run_id: str, node_id: str) -> dict[str, dict[str, Any]]:
        """Return a node's recorded payloads by port; CONFLICT when it has none."""
        return await asyncio.to_thread(self._past.recorded, run_id, node_id)

    async def results(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Return what the nodes of a run gave: payloads by port, by node id."""
        return await asyncio.to_thread(self._past.results, run_id)

    async def flow_test(self, run_id: str) -> dict[str, Any]:
        """Return a test file made from a run; see `Runs.flow_test`."""
        return await asyncio.to_thread(self._past.flow_test, run_id)

    def reruns(self) -> dict[str, list[RunSummary]]:
        """Return the reruns of every run that has some; it blocks."""
        return self._past.reruns()

    async def connection_history(self, run_id: str, connection_id: str) -> list[dict[str, Any]]:
        """Return the payloads that went along a connection; NOT_FOUND for an unknown run or connection."""
        run, state = await asyncio.to_thread(self._archive.load_state, run_id)
        return kept.connection_payloads(run, state, connection_id)

    async def listing(  # noqa: PLR0913 - one keyword for each filter
        self,
        *,
        started_by: str | None,
        status: RunStatus | None,
        before: int | None,
        limit: int,
        parent: str | None = None,
        preset: str | None = None,
        after: int | None = None,
        error: str | None = None,
        after_item: int | None = None,
    ) -> list[RunSummary]:
        """List runs, newest first; ``before`` and ``after`` bound the start time in Unix milliseconds."""
        wanted = status.value if status else None
        which = RunFilter(
            started_by=started_by,
            status=wanted,
            before=before,
            limit=limit,
            parent=parent,
            preset=preset,
            started_after=after,
            error_part=error,
            after_item=after_item,
        )
        rows = await asyncio.to_thread(self._store.archive.runs, which)
        return [kept.summary_of(row) for row in rows]

    def _refuse_open(self, row: RunRow) -> None:
        """Say so where an unfinished run is not in this process's memory: nothing can be done to it here and now."""
        if row.finished_at is not None:
            return
        holder = self._store.holder(row.id)
        where = (
            f"in another process of this engine ({holder}); ask there"
            if holder
            else "not in memory; ask again"
        )
        message = f"Run {row.id} is {where}."
        raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, message, retry_after=5.0)

    def _row(self, run_id: str) -> RunRow:
        row = self._store.reads.run(run_id)
        if row is None:
            raise kept.unknown_run(run_id)
        return row

    def _status(self, run_id: str) -> Frame:
        """Return a run's stored status as the event that announced it."""
        row = self._row(run_id)
        end = None if row.finished_at is None else iso(row.finished_at)
        start = iso(row.started_at)
        return status_frame(run_id, row.status_seq, row.status, start, end_time=end, error=row.error)
