"""The runs of one waiting step: started a few at a time, counted as they end, and reported when all have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from core_engine.kernel.family import MOST_ERRORS, FailedRun, RunsOutcome
from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import ParentStep, StartRun
from core_engine.storage.families import ChildRow
from core_engine.workflow import children
from core_engine.workflow import records as r
from core_engine.workflow.inputs import filled
from core_engine.workflow.plans import Home, Plan
from core_engine.workflow.run import LiveRun
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError
from shared.tracing import run_context

_WINDOW = 256
_PATIENCE = 1.0
_ROOM_PATIENCE = 60.0
"""Seconds for which a run that is not waited for may find no room: who waits for it may be what takes the room."""
_REPORTS = 50
_GROWTH = 1.15
_LONGEST_ERROR = 500
_TRANSIENT = frozenset({ErrorCode.STORAGE_FULL, ErrorCode.RATE_LIMITED})


class Brood:
    """The live side of one wait for runs. What it knows is in the journal: a new one goes on where another was."""

    def __init__(self, parent: LiveRun, node: int, wait: r.StepSuspended, plan: Plan, home: Home) -> None:
        self.parent = parent
        self.node = node
        self.wait = wait
        self.abandoned = False
        self.running: dict[str, tuple[int, Any]] = {}
        self._plan = plan
        self._home = home
        self._news = asyncio.Event()
        self._errors: list[FailedRun] = []
        self._succeeded = self._failed = 0
        self._broken = False
        self._refused: list[tuple[int, Any]] = []
        self._no_room_since: float | None = None
        self._job_ids: list[str] = []
        self._next_report = 1

    @property
    def detached(self) -> bool:
        """Whether the step does not wait for the ends of its runs."""
        return self._plan.spec.detached

    async def work(self) -> None:
        """Start, wait and report. A source that cannot be read ends it early, after the runs under way."""
        error = None
        try:
            await self._feed()
        except FloworkError as problem:
            error = problem.message
        finally:
            if isinstance(self._plan.items, Generator):
                await asyncio.to_thread(self._plan.items.close)
        while self.running or (self._refused and not self._over):
            if self._refused and not self._over:
                await self._try_again()
            else:
                await self._wait()
        if self.abandoned or self.parent.held or self.parent.finished:
            return
        if self.parent.state.planner.waits.get(self.node) is self.wait:
            self.parent.end_runs(self.node, self._outcome(error), self._plan.spec.digest)

    def ended(self, run: LiveRun, error: FloworkError | None) -> None:
        """Take note that one of the runs has ended, or that the journal did not take it."""
        if run.id not in self.running or (self.detached and error is None):
            return
        number, item = self.running.pop(run.id)
        state = run.state
        if error and error.code in _TRANSIENT:
            self._refused.append((number, item))
        elif error:
            self._fail(number, None, error.message)
        elif state.status is RunStatus.SUCCEEDED:
            self._succeed(broken=self._plan.may_break and children.asks_for_end(state))
        else:
            self._fail(number, run.id, _why(state.status, state.error))
        self._report()
        self._news.set()

    def wake(self) -> None:
        """Look again whether something can be started."""
        self._news.set()

    def abandon(self) -> None:
        """Stop every run: the step does not wait for them any more."""
        self.abandoned = True
        self._stop_running(pauser(self.parent.id))
        self._news.set()

    def _outcome(self, error: str | None) -> RunsOutcome:
        return RunsOutcome(
            first=self._plan.spec.first,
            count=self._done,
            succeeded=self._succeeded,
            failed=self._failed,
            broken=self._broken,
            error=error and error[:_LONGEST_ERROR],
            errors=tuple(sorted(self._errors, key=lambda failed: failed.index)),
            job_ids=tuple(self._job_ids),
        )

    @property
    def _done(self) -> int:
        return self._succeeded + self._failed + (len(self._job_ids) if self.detached else 0)

    @property
    def _over(self) -> bool:
        failed = self._failed > 0 and self._plan.spec.on_error == "stop"
        return failed or self._broken or self.abandoned

    async def _feed(self) -> None:
        number = self._plan.spec.first
        async for chunk in self._chunks():
            known = await self._known(number, number + len(chunk))
            for item in chunk:
                if not await self._turn():
                    return
                await self._take(number, item, known.get(number, []))
                number += 1

    async def _chunks(self) -> AsyncIterator[list[Any]]:
        items = self._plan.items
        while chunk := await asyncio.to_thread(_read, items):
            yield chunk

    async def _known(self, first: int, end: int) -> dict[int, list[ChildRow]]:
        plan = self._plan
        found: dict[int, list[ChildRow]] = {}
        rows = await asyncio.to_thread(self._home.rows, self.parent.id, plan.naming.node, first, end)
        for row in rows:
            if row.id in plan.naming.earlier(plan.attempt, row.item):
                found.setdefault(row.item, []).append(row)
        return found

    async def _turn(self) -> bool:
        """Wait until one more may start; False when none may any more."""
        while not self._over:
            paused = self.parent.held or self.parent.state.status is RunStatus.PAUSED
            if self._refused and not paused:
                await self._try_again()
            elif len(self.running) < self._plan.spec.parallel and not paused:
                return True
            else:
                await self._wait()
        return False

    async def _try_again(self) -> None:
        """Start an item once more whose run the journal had no room for."""
        await asyncio.sleep(_PATIENCE)
        if not self._over:
            await self._start(*self._refused.pop())

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()

    async def _take(self, number: int, item: Any, rows: list[ChildRow]) -> None:
        """Count an item that was done, look after one that runs, or start it."""
        plan = self._plan
        name = plan.naming.run_id(plan.attempt, number)
        good = next((row for row in rows if row.status == RunStatus.SUCCEEDED.value), None)
        row = good or next((row for row in rows if row.id == name), None)
        if self.detached and row:
            self._job_ids.append(row.id)
        elif good:
            broken = plan.may_break and await asyncio.to_thread(self._home.broke, good.id)
            self._succeed(broken=broken)
        elif row is None:
            await self._start(number, item)
        elif run := self._home.live(name):
            self.running[name] = (number, item)
            self._same_pace(run)
        else:
            await self._count_ended(number, row)

    async def _count_ended(self, number: int, row: ChildRow) -> None:
        if row.finished_at is None:  # it ended while we looked
            rows = await self._known(number, number + 1)
            row = next(found for found in rows[number] if found.id == row.id)
        if row.status == RunStatus.SUCCEEDED.value:
            broken = self._plan.may_break and await asyncio.to_thread(self._home.broke, row.id)
            self._succeed(broken=broken)
        else:
            self._fail(number, row.id, _why(RunStatus(row.status), row.error))

    async def _start(self, number: int, item: Any) -> None:
        name = self._plan.naming.run_id(self._plan.attempt, number)
        try:
            run = self._home.open(self._request(name, number, item), self._plan.prepared)
        except FloworkError as error:
            if error.code in _TRANSIENT and self._may_find_room(error):
                self._refused.append((number, item))
            else:
                self._fail(number, None, error.message)
            return
        self._no_room_since = None
        self.running[name] = (number, item)
        while self.detached and name in self.running:
            with suppress(FloworkError):  # refused: then it runs no more; or the disk is slow
                await run.stored()
                del self.running[name]
                self._job_ids.append(name)

    def _may_find_room(self, error: FloworkError) -> bool:
        """Tell whether to go on trying; a full disk is waited for as long as it takes."""
        if error.code is not ErrorCode.RATE_LIMITED:
            return True
        now = self.parent.env.clock.monotonic()
        if self._no_room_since is None:
            self._no_room_since = now
        return now - self._no_room_since < _ROOM_PATIENCE

    def _same_pace(self, run: LiveRun) -> None:
        """Have a run that was found after a crash wait or go on as its parent does."""
        if self.parent.state.status is RunStatus.PAUSED:
            run.pause(pauser(self.parent.id))
        elif run.state.paused_by == pauser(self.parent.id):
            run.resume(pauser(self.parent.id))

    def _request(self, name: str, number: int, item: Any) -> StartRun:
        plan, accepted = self._plan, self.parent.state.accepted
        spec, node = plan.spec, plan.naming.node
        payload = Payload(children.item_data(spec, number, item, plan.given))
        options: dict[str, Any] = {children.DEPTH: plan.depth}
        if spec.detached:
            options[children.DETACHED] = True
        return StartRun(
            run_id=name,
            workflow_data={},
            started_by=accepted.started_by,
            initial_payload=filled(plan.prepared.graph.inputs, payload),
            mode=self.parent.state.mode,
            preset_name=spec.preset,
            parent=ParentStep(self.parent.id, node, number),
            effect_key=children.effect_key(
                accepted.effect_key or self.parent.id, node, number, plan.naming.turn
            ),
            origin="child",
            options=options,
            trace=accepted.trace and run_context(self.parent.id, accepted.trace).traceparent,
        )

    def _succeed(self, *, broken: bool) -> None:
        self._succeeded += 1
        self._broken = self._broken or broken

    def _fail(self, item: int, job_id: str | None, error: str) -> None:
        self._failed += 1
        if len(self._errors) < MOST_ERRORS:
            self._errors.append(FailedRun(item, job_id, error[:_LONGEST_ERROR]))
        if self._plan.spec.on_error == "stop":
            self._stop_running(pauser(self.parent.id))

    def _stop_running(self, by: str) -> None:
        if self.detached:
            return
        for name in list(self.running):
            run = self._home.live(name)
            if run:
                run.stop(by)

    def _report(self) -> None:
        """Record how far the runs are, at steps that grow with them."""
        total, done = self._plan.spec.total, self._done
        if done < self._next_report or self.parent.held or self.parent.finished or self.abandoned:
            return
        step = -(-total // _REPORTS) if total else max(1, int(done * (_GROWTH - 1)))
        self._next_report = done + step
        if total != 1:
            self.parent.note_progress(self.node, done, self._failed, total, len(self.running))


def pauser(parent: str) -> str:
    """Return who the journal says has paused or stopped a run because of its parent."""
    return f"run {parent}"


def _read(items: Iterator[Any]) -> list[Any]:
    try:
        return list(islice(items, _WINDOW))
    except FloworkError:
        raise
    except Exception as error:
        text = f"The items cannot be read: {type(error).__name__}: {error}"
        raise FloworkError(ErrorCode.COMPONENT_FAILED, text) from error


def _why(status: RunStatus, error: str | None) -> str:
    return error or ("The run was stopped." if status is RunStatus.STOPPED else "The run failed.")
