"""The way of a run's records into the journal: gathered, cut into segments, synced, one segment at a time."""

from __future__ import annotations

import asyncio

from core_engine.storage import EventWaitRow, RunRow, SegmentRow, WorkflowRow, Write
from core_engine.workflow import records as r
from core_engine.workflow.aftermath import ended_run
from core_engine.workflow.environment import Environment
from core_engine.workflow.journal import encode_segment
from core_engine.workflow.projection import Projection
from core_engine.workflow.state import RunState
from shared.errors import ErrorCode, FloworkError


class RecordedRun:
    """A run's state and its journal. All methods are called on the event loop's thread.

    ``parking`` tells that the journal may know the run as one that only waits; the next write takes that back.
    `record` takes something in, `cut` turns what has gathered into one write, `synced` says that it is stored.
    While a write is under way no other is cut, so nothing of a run can overtake its acceptance.
    """

    __slots__ = (
        "_dismissed",
        "_ended_waits",
        "_event_waits",
        "_flying",
        "_pending",
        "_waiters",
        "_workflow",
        "env",
        "id",
        "number",
        "parking",
        "projection",
        "state",
        "synced_seq",
        "written",
    )

    def __init__(self, number: int, state: RunState, env: Environment, written: int) -> None:
        self.number = number
        self.state = state
        self.env = env
        self.id = state.accepted.run_id
        self.projection = Projection(self.id, state.graph, state.accepted.at)
        self.written = written
        self.synced_seq = state.next_seq - 1 if written else 0
        self._workflow: bytes | None = None
        self._dismissed = False
        self._event_waits: list[EventWaitRow] = []
        self._ended_waits: list[tuple[str, str]] = []
        self.parking = False
        self._pending: list[r.Record] = []
        self._flying: list[r.Record] = []
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    @property
    def finished(self) -> bool:
        """Whether nothing more happens in the run."""
        return self.state.finished_at is not None

    @property
    def left(self) -> bool:
        """Whether the run is not in this memory any more."""
        return self._dismissed

    @property
    def drained(self) -> bool:
        """Whether every record is in the journal."""
        return not self._pending and not self._flying

    def accept(self, workflow: bytes) -> None:
        """Send the first record, which the state was made from, on its way with the workflow's canonical JSON."""
        self._workflow = workflow
        self._pending.append(self.state.accepted)
        self.env.touch(self)

    def record(self, record: r.Record) -> None:
        """Take in what happened."""
        self.state.apply(record)
        if not self._pending:
            self.env.touch(self)
        self._pending.append(record)

    def cut(self) -> Write | None:
        """Return the gathered records as one write, or None while an earlier one is under way."""
        if self._flying or not self._pending or self._dismissed:
            return None
        records, self._pending = self._pending, []
        self._flying = records
        self.on_cut()
        payloads = self.state.payloads
        blobs, payloads.unwritten = tuple(payloads.unwritten), []
        workflow, self._workflow = self._workflow, None
        parking, self.parking = self.parking, False
        begun, self._event_waits = tuple(self._event_waits), []
        over, self._ended_waits = tuple(self._ended_waits), []
        return Write(
            run=self.row(),
            segment=SegmentRow.of(self.number, self.written + 1, encode_segment(records)),
            workflow=None if workflow is None else WorkflowRow(self.state.graph.hash, workflow),
            blobs=blobs,
            refusable=self.written == 0,
            token=self,
            unparked=(self.number,) if parking else (),
            event_waits=begun,
            ended_waits=over,
        )

    def row(self) -> RunRow:
        """Return the run's summary after everything recorded so far."""
        row = self._summary()
        ended = row.finished_at is not None
        return row._replace(settled=0) if ended and self.env.wants_end(ended_run(row)) else row

    def _summary(self) -> RunRow:
        state, accepted = self.state, self.state.accepted
        parent = accepted.parent or (None, None, None)
        return RunRow(
            number=self.number,
            id=self.id,
            started_by=accepted.started_by,
            preset=accepted.preset,
            mode=accepted.mode,
            status=str(state.status),
            started_at=accepted.at,
            finished_at=state.finished_at,
            workflow=accepted.workflow,
            error=state.error,
            records=state.records,
            last_seq=state.next_seq - 1,
            status_seq=state.status_seq,
            parent=parent[0],
            parent_node=parent[1],
            item=parent[2],
            origin=accepted.origin,
            result=state.result_row,
        )

    def synced(self) -> list[r.Record]:
        """Note that the write under way is stored, and return its records."""
        records, self._flying = self._flying, []
        self.written += len(records)
        return records

    def settle(self) -> None:
        """Go on with what waited for the journal."""
        while self._waiters and self._waiters[0][0] <= self.written:
            future = self._waiters.pop(0)[1]
            if not future.done():
                future.set_result(None)
        self.on_synced()

    def refuse(self, error: FloworkError) -> None:
        """Tell who waits that the journal did not take it; nothing of the run goes there any more."""
        self._dismissed = True
        self.give_up_waiting(error)

    def leave(self) -> None:
        """Go out of memory: nothing of the run goes from here into the journal any more."""
        self._dismissed = True

    def give_up_waiting(self, error: FloworkError) -> None:
        """Tell who waits for the journal that it takes too long, or never comes."""
        waiters, self._waiters = self._waiters, []
        for _, future in waiters:
            if not future.done():
                future.set_exception(error)

    def stored(self) -> asyncio.Future[None]:
        """Return a future that is done once everything recorded so far is in the journal."""
        future: asyncio.Future[None] = self.env.loop.create_future()
        if self.state.records <= self.written:
            future.set_result(None)
        else:
            self._waiters.append((self.state.records, future))
        return future

    async def is_accepted(self) -> bool:
        """Wait until the journal has the run; False when it knows the id from an earlier one."""
        try:
            await self.stored()
        except FloworkError as error:
            if error.code is not ErrorCode.CONFLICT:
                raise
            return False
        return True

    def on_cut(self) -> None:
        """Take note that the gathered records leave for the journal."""

    def on_synced(self) -> None:
        """Go on after they have arrived and were published."""
