"""Keeps all live runs going: fair turns on the event loop, one journal write per run and turn, then the events."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from core_engine.storage import EngineStore, RunRow, Write
from core_engine.workflow.aftermath import Aftermath, ended_run
from core_engine.workflow.delivery import Delivery
from core_engine.workflow.records import Record
from core_engine.workflow.run import LiveRun
from shared import logs
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

Fatal = Callable[[FloworkError], None]
Witness = Callable[[LiveRun, Sequence[Record]], None]
_REFUSALS = frozenset({ErrorCode.STORAGE_FULL, ErrorCode.CONFLICT})
_LOG = logging.getLogger(__name__)
_TURN_SECONDS = 0.005
_MOST_PUT_OFF = 10
"""Turns for which a new run's acceptance waits for its first steps, to go into the journal in one piece with them."""
_JOURNAL_PATIENCE = 30.0
_WATCH_EVERY = 5.0


def _let_be(_run: LiveRun) -> None:
    pass


class Conductor:
    """The live runs by id, and their turns.

    A turn lets runs that could go on start what may start, until its time is up; then everything recorded
    meanwhile leaves for the journal in one submission. New runs whose first turn is about to come wait for it a
    while: most end in it, and are one segment then. What the journal has taken is published, and only then do steps
    that waited for it begin. ``on_retire`` is told of each run that leaves, ``on_rest`` of each that may have nothing
    to do, and each of ``witnesses`` of the records the journal has taken.
    Both queues hold a run at most once, so open runs bound them.
    """

    def __init__(
        self, store: EngineStore, delivery: Delivery, clock: Clock, aftermath: Aftermath, on_fatal: Fatal
    ) -> None:
        self.runs: dict[str, LiveRun] = {}
        self._store = store
        self._delivery = delivery
        self._clock = clock
        self._aftermath = aftermath
        self._on_fatal = on_fatal
        self._loop = asyncio.get_running_loop()
        self._runnable: deque[LiveRun] = deque()
        self._dirty: list[LiveRun] = []
        self._turn: asyncio.Handle | None = None
        self._failed = False
        self.on_retire: Callable[[LiveRun, FloworkError | None], None] | None = None
        self.on_rest: Callable[[LiveRun], None] = _let_be
        self.witnesses: list[Witness] = []
        self._outstanding = 0
        self._progress = 0.0
        self._watchdog: asyncio.TimerHandle | None = None

    @property
    def busy(self) -> bool:
        """Whether some run waits for its turn."""
        return bool(self._runnable)

    @property
    def unwritten(self) -> int:
        """How many writes the journal has not answered yet."""
        return self._outstanding

    def close(self) -> None:
        """Stop watching the journal."""
        if self._watchdog:
            self._watchdog.cancel()

    def add(self, run: LiveRun) -> None:
        """Take a run in."""
        self.runs[run.id] = run

    def drop(self, run: LiveRun) -> None:
        """Let a run that only waits go out of memory; who follows it goes on to."""
        run.leave()
        run.hold()
        del self.runs[run.id]

    def wake(self, run: LiveRun) -> None:
        """Give a run a turn, because it could go on."""
        if not run.scheduled:
            run.scheduled = True
            self._runnable.append(run)
            self._schedule()

    def touch(self, run: LiveRun) -> None:
        """Have a run's records sent to the journal at the end of this turn."""
        self._dirty.append(run)
        self._schedule()

    def _schedule(self) -> None:
        if self._turn is None:
            self._turn = self._loop.call_soon(self._take_turn)

    def _take_turn(self) -> None:
        clock = self._clock
        deadline = clock.monotonic() + _TURN_SECONDS
        runnable = self._runnable
        while runnable:
            run = runnable.popleft()
            run.scheduled = False
            if self._guarded(run, run.advance, deadline):
                run.scheduled = True
                runnable.append(run)
            else:
                self.on_rest(run)
            if clock.monotonic() > deadline:
                break
        self._turn = None
        self._flush()
        if runnable:
            self._schedule()

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        writes = []
        for run in dirty:
            if run.scheduled and run.untried and run.put_off < _MOST_PUT_OFF:
                run.put_off += 1
                self._dirty.append(run)
                continue
            write = self._guarded(run, run.cut)
            if write:
                writes.append(write)
        if writes:
            self._expect(len(writes))
            self._store.submit(writes, self._journaled)

    def _expect(self, count: int) -> None:
        """Keep an eye on the journal: nobody waits for ever on a disk that does not answer."""
        if self._outstanding == 0:
            self._progress = self._clock.monotonic()
        self._outstanding += count
        if self._watchdog is None:
            self._watchdog = self._loop.call_later(_WATCH_EVERY, self._watch)

    def _watch(self) -> None:
        self._watchdog = None
        if not self._outstanding:
            return
        self._watchdog = self._loop.call_later(_WATCH_EVERY, self._watch)
        if self._clock.monotonic() - self._progress > _JOURNAL_PATIENCE:
            message = "The engine's disk does not answer; what was asked is done as soon as it does."
            for run in self.runs.values():
                run.give_up_waiting(FloworkError(ErrorCode.DEADLINE_EXCEEDED, message))

    def _journaled(self, writes: Sequence[Write], error: FloworkError | None) -> None:
        """Hear from the writer's thread."""
        with suppress(RuntimeError):  # the loop is closed: the engine has ended
            self._loop.call_soon_threadsafe(self._settle, writes, error)

    def _settle(self, writes: Sequence[Write], error: FloworkError | None) -> None:
        self._outstanding -= len(writes)
        self._progress = self._clock.monotonic()
        if error is None:
            self._publish(writes)
        elif error.code in _REFUSALS:
            for write in writes:
                self._dismiss(write.token, error)
        elif not self._failed:
            self._failed = True
            for run in list(self.runs.values()):
                self._dismiss(run, error)
            self._on_fatal(error)

    def _publish(self, writes: Sequence[Write]) -> None:
        news = []
        followed = self._delivery.followed
        with logs.together():
            for write in writes:
                run: LiveRun = write.token
                records = run.synced()
                if write.run:
                    run.synced_seq = write.run.last_seq
                if run.id in followed:
                    news.append((run.id, run.projection.frames(records)))
                for witness in self.witnesses:
                    self._guarded(run, witness, run, records)
        self._delivery.publish(news)
        for write in writes:
            run = write.token
            self._guarded(run, run.settle)
            if not run.drained:
                self.touch(run)
            elif run.finished:
                self._retire(run)
                self._tell_end(write.run or run.row())
            else:
                self.on_rest(run)

    def _tell_end(self, row: RunRow) -> None:
        if not row.settled:
            self._aftermath.tell(ended_run(row))

    def _guarded(self, run: LiveRun, method: Callable[..., Any], *args: Any) -> Any:
        """Call a run's method; a mistake of ours ends that run and no other."""
        try:
            return method(*args)
        except Exception as error:  # noqa: BLE001 - the other runs go on
            _LOG.exception("A run cannot go on.", extra={"run": run.id})
            self._dismiss(
                run, FloworkError(ErrorCode.INTERNAL, f"The run cannot go on: {type(error).__name__}.")
            )
            return None

    def _dismiss(self, run: LiveRun, error: FloworkError) -> None:
        """Give a run up in this process; what the journal has of it is looked at again at the next start."""
        run.refuse(error)
        self._retire(run, error)

    def _retire(self, run: LiveRun, error: FloworkError | None = None) -> None:
        if self.runs.get(run.id) is run:
            del self.runs[run.id]
            self._delivery.drop_run(run.id)
            if self.on_retire:
                self.on_retire(run, error)
