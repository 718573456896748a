"""Runs in which everything waits: they go out of memory, and come back when their time comes or somebody asks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from core_engine.storage import EngineStore, ParkedRow, Write
from core_engine.storage.parked import ParkedTable
from core_engine.workflow import children
from core_engine.workflow.archive import Archive, ArchivedRun
from core_engine.workflow.conductor import Conductor
from core_engine.workflow.environment import Environment
from core_engine.workflow.recovery import held_row, take_up
from core_engine.workflow.run import LiveRun
from core_engine.workflow.state import RunState
from core_engine.workflow.waits import LONGEST_NAP
from shared.errors import ErrorCode, FloworkError

_LOG = logging.getLogger(__name__)
MOST_PARKED = 1_000_000
PARK_AFTER = 2.0
"""Seconds that a run must have rested: an answer that comes at once finds it in memory."""
_PORTION = 64
_PATIENCE = 1.0


class Parking:
    """Decides which runs leave memory, and brings them back.

    A run is noted as parked in the journal's database before it is dropped; the note goes in the same write as the
    next record of the run, or before the run is taken up again. So a run is either in memory (after a crash:
    recovered at the start) or noted, never neither. One timer stands for all that wait for a time.
    """

    def __init__(
        self,
        store: EngineStore,
        archive: Archive,
        conductor: Conductor,
        *,
        after: float = PARK_AFTER,
        most: int = MOST_PARKED,
    ) -> None:
        self._store = store
        self._table = ParkedTable(store.reads)
        self._archive = archive
        self._conductor = conductor
        self._after = after
        self._most = most
        self._env: Environment | None = None
        self._looking: dict[str, asyncio.TimerHandle] = {}
        self._lock = asyncio.Lock()
        self._alarm: asyncio.TimerHandle | None = None
        self._next: int | None = None
        self._waking: asyncio.Task[None] | None = None
        self._arriving: set[str] = set()
        self._closed = False
        self.count = 0
        conductor.on_rest = self.consider

    def settle_in(self, env: Environment) -> None:
        """Say what the runs share."""
        self._env = env

    def start(self) -> None:
        """Count what is parked from earlier, and wait for the first that is due."""
        self.count = self._table.count()
        self._arm(self._table.next_due())

    async def look_again(self) -> None:
        """Count anew, and wait for the first that is due: other processes park runs too."""
        self.count = await asyncio.to_thread(self._table.count)
        self._arm(await asyncio.to_thread(self._table.next_due))

    def close(self) -> None:
        """Park and wake nothing more."""
        self._closed = True
        for handle in (*self._looking.values(), *((self._alarm,) if self._alarm else ())):
            handle.cancel()
        self._looking.clear()
        if self._waking:
            self._waking.cancel()

    def consider(self, run: LiveRun) -> None:
        """Have a run looked at later, if it rests now."""
        if run.id not in self._looking and not self._closed and _rests(run):
            loop = self._environment.loop
            self._looking[run.id] = loop.call_later(self._after, self._look, run)

    def holds(self, run_id: str) -> bool:
        """Tell whether a run waits outside memory, or is just being brought back."""
        return run_id in self._arriving or (self._maybe and self._table.number(run_id) is not None)

    async def fetch(self, run_id: str) -> LiveRun | None:
        """Return an unfinished run, brought back into memory; None when there is none of that id."""
        run = self._conductor.runs.get(run_id)
        if run or not self._maybe:
            return run
        async with self._lock:
            number = self._table.number(run_id)
            if number is not None and run_id not in self._conductor.runs and not self._closed:
                await self._bring_back([(number, run_id)])
        return self._conductor.runs.get(run_id)

    @property
    def _maybe(self) -> bool:
        """Whether any run may wait: others that share the data park runs too."""
        return self.count > 0 or self._store.shared or bool(self._arriving)

    @property
    def _environment(self) -> Environment:
        if self._env is None:
            raise TypeError("settle_in comes first")
        return self._env

    def _look(self, run: LiveRun) -> None:
        self._looking.pop(run.id, None)
        due = run.next_due()
        near = due is not None and due - run.now() <= LONGEST_NAP * 1000
        if self._closed or near or self.count >= self._most or not self._may_go(run) or run.parking:
            return
        run.parking = True
        row = ParkedRow(run.number, run.id, due)
        loop = self._environment.loop

        def noted(_: Sequence[Write], error: FloworkError | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: the engine has ended
                loop.call_soon_threadsafe(self._noted, run, due, error)

        self._store.submit([Write(parked=row, refusable=True)], noted)

    def _noted(self, run: LiveRun, due: int | None, error: FloworkError | None) -> None:
        if not run.parking:
            return  # a record of the run has taken the note back meanwhile
        if error is None and not self._closed and self._may_go(run) and run.next_due() == due:
            self._conductor.drop(run)
            self.count += 1
            self._arm(due)
            return
        run.parking = False
        if error is None:
            self._store.submit([Write(unparked=(run.number,))], _ignore)

    def _may_go(self, run: LiveRun) -> bool:
        return self._conductor.runs.get(run.id) is run and _rests(run)

    def _arm(self, due: int | None) -> None:
        """Look at the clock at that time, or earlier as is set already."""
        if due is None or self._closed or (self._next is not None and self._next <= due):
            return
        if self._alarm:
            self._alarm.cancel()
        self._next = due
        self._sleep(max(due - self._environment.clock.now_ms(), 0) / 1000)

    def _sleep(self, seconds: float) -> None:
        self._alarm = self._environment.loop.call_later(min(seconds, LONGEST_NAP), self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._alarm = None
        left = (self._next or 0) - self._environment.clock.now_ms()
        if left > 0:
            self._sleep(left / 1000)
            return
        self._waking = asyncio.create_task(self._wake_due(), name="wake parked runs")

    async def _wake_due(self) -> None:
        env = self._environment
        try:
            while await self._wake_some(env.clock.now_ms()):
                pass
            following = await asyncio.to_thread(self._table.next_due)
            if following is not None:  # a note that is about to be taken back is not looked at all the time
                following = max(following, env.clock.now_ms() + int(_PATIENCE * 1000))
        except FloworkError as error:
            _LOG.warning("Waiting runs cannot be taken up yet.", extra={"reason": error.message})
            following = env.clock.now_ms() + int(_PATIENCE * 1000)
        self._next = None
        self._arm(following)

    async def _wake_some(self, now_ms: int) -> bool:
        async with self._lock:
            due = await asyncio.to_thread(self._table.due, now_ms, _PORTION)
            missing = [item for item in due if item[1] not in self._conductor.runs]
            if missing:
                await self._bring_back(missing)
        return bool(missing)

    async def _bring_back(self, which: Sequence[tuple[int, str]]) -> None:
        """Take runs up again; the lock is held. Raises STORAGE_FULL when that cannot be noted."""
        found = [await asyncio.to_thread(self._load, run_id) for _, run_id in which]
        numbers = tuple(number for number, _ in which)
        self._arriving.update(run_id for _, run_id in which)
        try:
            await self._store.write(Write(unparked=numbers, refusable=True))
            self.count -= len(which)
            for loaded in found:
                if isinstance(loaded, Write):
                    await self._store.write(loaded)
                elif not self._closed:
                    take_up(*loaded, self._conductor, self._environment)
        finally:
            self._arriving.clear()

    def _load(self, run_id: str) -> tuple[ArchivedRun, RunState] | Write:
        """Return a run, or what is to be written about one whose journal is damaged; blocks.

        Raises ENGINE_UNAVAILABLE while the database cannot be reached.
        """
        try:
            return self._archive.load_state(run_id)
        except FloworkError as error:
            if error.code is ErrorCode.ENGINE_UNAVAILABLE:
                raise  # it says nothing about the run
            facts = {"run": run_id, "reason": error.message}
            _LOG.error("A run cannot be taken up and is held.", extra=facts)
            row = self._store.archive.run(run_id)
            if row is None:
                raise FloworkError(ErrorCode.NOT_FOUND, f"There is no run {run_id}.") from error
            return Write(run=held_row(row, error, self._environment.clock.now_ms()))


def _rests(run: LiveRun) -> bool:
    """Whether nothing of a run happens until a time comes or somebody does something."""
    planner, accepted = run.state.planner, run.state.accepted
    if run.attempts or run.finished or run.held or run.scheduled or not run.drained:
        return False
    waits = planner.waits or planner.naps or planner.halts.held or planner.asleep is not None
    if not waits or planner.retries or not planner.rests or run.state.alarms:
        return False
    options = accepted.options or {}
    if accepted.parent and not options.get(children.DETACHED):
        return False  # the step that started it looks after it
    return not any(wait.runs for wait in planner.waits.values())


def _ignore(_writes: Sequence[Write], _error: FloworkError | None) -> None:
    pass
