"""Takes events in durably, lets them start in their lanes, and goes on when runs end or the engine was restarted."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from contextlib import suppress

from core_engine.storage.triggers import DeliveryRow, Remembered, TriggerTable
from core_engine.triggers.alarms import Alarms
from core_engine.triggers.counts import Counts
from core_engine.triggers.lanes import Lane, Outcome, Verdict, judge, superseded
from core_engine.triggers.rulebook import RuleBook
from core_engine.triggers.rules import Fire, Rule
from core_engine.triggers.starter import PASSING, Starter
from shared.clock import Clock
from shared.errors import FloworkError

LATE_MS = 900_000
"""An event that waits longer than this for its turn is told of as late."""
_RETRY_MS = 1000
_LONGEST_SLEEP = 5.0
_SHORTEST_SLEEP = 0.01
_log = logging.getLogger(__name__)


class Admission:
    """The lanes of all rules. An event is on the disk before it is answered for, until its run has ended."""

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        table: TriggerTable,
        rules: RuleBook,
        starter: Starter,
        clock: Clock,
        *,
        counts: Counts,
        alarms: Alarms,
    ) -> None:
        self._table = table
        self._rules = rules
        self._starter = starter
        self._clock = clock
        self._counts = counts
        self._alarms = alarms
        self._late: set[str] = set()
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._by_run: dict[str, Fire] = {}
        self._waiting: Counter[str] = Counter()
        self._due: dict[tuple[str, str], None] = {}
        self._errors: dict[str, FloworkError | None] = {}
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Read the events of an earlier process; those whose runs exist are running until `start` knows better."""
        for row in self._table.fires():
            fire = Fire.of(row)
            lane = self._lane(fire)
            self._by_run[fire.run_id] = fire
            if self._starter.status(fire.run_id) is None:
                lane.waiting.append(fire)
                self._waiting[fire.rule] += 1
            else:
                lane.active[fire.run_id] = None

    async def start(self) -> None:
        """Forget what has ended meanwhile, and let the rest go on."""
        ended = [run for lane in self._lanes.values() for run in lane.active if self._starter.status(run)]
        orphans = [run for run, fire in self._by_run.items() if self._rules.find(fire.rule) is None]
        for run_id in {*ended, *orphans}:
            self._leave(run_id)
        await self._table.forget_fires([*ended, *orphans])
        self._due = dict.fromkeys(self._lanes)
        self._task = asyncio.create_task(self._work(), name="trigger lanes")

    async def close(self) -> None:
        """End the task; what waits goes on at the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for future in [future for waiters in self._waiters.values() for future in waiters]:
            future.cancel()

    async def admit(
        self,
        rule: Rule,
        fire: Fire,
        *,
        decided: tuple[str, int] | None = None,
        delivery: DeliveryRow | None = None,
    ) -> Verdict:
        """Take an event in and start it if its turn has come; on return it is on the disk.

        ``decided`` and ``delivery`` are noted with it. Raises STORAGE_FULL: then nothing was taken.
        """
        self._counts.add(rule.id, "fired")
        if fire.run_id in self._by_run or self._starter.status(fire.run_id) is not None:
            await self._note_decided(decided)
            self._counts.add(rule.id, "duplicate")
            return Verdict(Outcome.DUPLICATE, fire.run_id)
        policy, lane = self._rules.policy(rule), self._lane(fire)
        refusal = judge(policy, lane, self._waiting[rule.id])
        if refusal is not None:
            self._discard(lane)
            await self._note_decided(decided)
            self._counts.add(rule.id, refusal.value)
            log = _log.warning if refusal is Outcome.REFUSED else _log.info
            log("a trigger's event was not taken", extra={"rule": rule.id, "outcome": refusal.value})
            if refusal is Outcome.REFUSED:
                text = f"{policy.queue_limit} events of the rule wait already, so this one was not taken."
                self._alarms.raise_for(rule, "not_started", text, due=fire.due)
            return Verdict(refusal, None)
        replaced = superseded(policy, lane)
        for old in replaced:
            self._leave(old.run_id)
            self._counts.add(rule.id, "dropped")
        lane = self._enter(fire)
        noted = Remembered([fire.row()], decided, delivery, [old.run_id for old in replaced])
        try:
            await self._table.remember(noted)
        except FloworkError:
            self._leave(fire.run_id)
            raise
        return await self._first_try(lane, fire)

    def depth_of(self, run_id: str) -> int:
        """Return how many runs led to a run, one firing the next; 0 for one that no rule started."""
        fire = self._by_run.get(run_id)
        return fire.depth if fire else 0

    def figures(self, rule_id: str) -> tuple[int, int]:
        """Return how many runs of a rule have not ended, and how many events wait."""
        running = sum(len(lane.active) for lane in self._lanes.values() if lane.rule == rule_id)
        return running, self._waiting[rule_id]

    async def ended(self, run_id: str) -> None:
        """Take note of the end of a run that an event started, and start what waits for it."""
        for future in self._waiters.pop(run_id, []):
            if not future.done():
                future.set_result(None)
        fire = self._by_run.get(run_id)
        if fire is None:
            return
        self._leave(run_id)
        await self._table.forget_fires([run_id])

    async def wait_for_end(self, run_id: str, seconds: float) -> bool:
        """Wait for the end of a run; tell whether it came in time."""
        if self._starter.status(run_id):
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(run_id, []).append(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            return False
        finally:
            waiters = self._waiters.get(run_id, [])
            if future in waiters:
                waiters.remove(future)
            if not waiters:
                self._waiters.pop(run_id, None)
        return True

    async def drop_rule(self, rule_id: str) -> None:
        """Forget the waiting events of a rule that is gone; its runs go on."""
        runs = [run for run, fire in self._by_run.items() if fire.rule == rule_id]
        for run_id in runs:
            self._leave(run_id)
        if runs:
            await self._table.forget_fires(runs)

    async def turn(self) -> float:
        """Start everything whose turn has come; return the seconds until the next one."""
        self._tell_late()
        soonest = self._clock.now_ms() + int(_LONGEST_SLEEP * 1000)
        for name in list(self._due):
            lane = self._lanes.get(name)
            rule = self._rules.find(name[0])
            if lane is None or rule is None:
                self._due.pop(name, None)
                continue
            await self._advance(lane)
            due = lane.next_turn(self._rules.policy(rule))
            if due is None:
                self._due.pop(name, None)
            else:
                soonest = min(soonest, due)
        return max(_SHORTEST_SLEEP, (soonest - self._clock.now_ms()) / 1000)

    async def _work(self) -> None:
        while True:
            self._news.clear()
            pause = _LONGEST_SLEEP
            try:
                pause = await self.turn()
            except FloworkError as error:
                _log.warning("waiting events cannot start now", extra={"reason": error.message})
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news.wait()

    async def _first_try(self, lane: Lane, fire: Fire) -> Verdict:
        """Start a new event if its turn has come; raises the error because of which it never can."""
        self._errors[fire.run_id] = None
        try:
            await self._advance(lane)
        finally:
            error = self._errors.pop(fire.run_id)
        if error:
            raise error
        if fire not in lane.waiting:
            return Verdict(Outcome.STARTED, fire.run_id)
        self._wake(lane)
        return Verdict(Outcome.WAITING, fire.run_id)

    async def _advance(self, lane: Lane) -> None:
        """Start what may start in a lane, in order."""
        async with lane.turn:
            while (rule := self._rules.find(lane.rule)) is not None:
                policy = self._rules.policy(rule)
                due = lane.next_turn(policy)
                if due is None or due > self._clock.now_ms():
                    break
                if policy.kind == "restart":
                    await self._make_room(rule, lane)
                if not await self._started(rule, lane, lane.waiting[0]):
                    break
        self._discard(lane)

    async def _started(self, rule: Rule, lane: Lane, fire: Fire) -> bool:
        """Start the first event of a lane; an event that can never start is dropped and reported."""
        lane.waiting.remove(fire)
        self._waiting[rule.id] -= 1
        lane.active[fire.run_id] = None  # before it is: the run may end before the start has come back
        try:
            await self._starter.start(rule, fire)
        except FloworkError as error:
            lane.active.pop(fire.run_id, None)
            if error.code in PASSING:
                lane.waiting.appendleft(fire)
                self._waiting[rule.id] += 1
                lane.retry_at = self._clock.now_ms() + _RETRY_MS
                return False
            await self._give_up(rule, fire, error)
            return True
        lane.retry_at = 0
        self._counts.add(rule.id, "started")
        return True

    async def _give_up(self, rule: Rule, fire: Fire, error: FloworkError) -> None:
        self._by_run.pop(fire.run_id, None)
        self._counts.add(rule.id, "failed")
        facts = {"rule": rule.id, "preset": rule.preset, "code": error.code.value, "reason": error.message}
        _log.error("a trigger did not start its run", extra=facts)
        self._alarms.raise_for(rule, "not_started", error.message, due=fire.due)
        if fire.run_id in self._errors:
            self._errors[fire.run_id] = error
        for future in self._waiters.pop(fire.run_id, []):
            if not future.done():
                future.set_exception(error)
        await self._table.forget_fires([fire.run_id])

    def _tell_late(self) -> None:
        """Raise an alarm once for each event that waits too long for its turn."""
        self._late &= self._by_run.keys()
        now = self._clock.now_ms()
        for lane in self._lanes.values():
            rule = self._rules.find(lane.rule)
            fire = lane.waiting[0] if lane.waiting else None
            if rule is None or fire is None or fire.run_id in self._late:
                continue
            if now - fire.due > LATE_MS:
                self._late.add(fire.run_id)
                text = f"{len(lane.waiting)} events wait, the first since {(now - fire.due) / 1000:g} s."
                self._alarms.raise_for(rule, "late", text, due=fire.due, count=len(lane.waiting))

    async def _make_room(self, rule: Rule, lane: Lane) -> None:
        for run_id in list(lane.active):
            await self._starter.stop(rule, run_id)
            lane.active.pop(run_id, None)

    async def _note_decided(self, decided: tuple[str, int] | None) -> None:
        if decided:
            await self._table.remember(Remembered(decided=decided))

    def _lane(self, fire: Fire) -> Lane:
        return self._lanes.setdefault((fire.rule, fire.key), Lane(fire.rule, fire.key))

    def _enter(self, fire: Fire) -> Lane:
        lane = self._lane(fire)
        lane.waiting.append(fire)
        self._waiting[fire.rule] += 1
        self._by_run[fire.run_id] = fire
        return lane

    def _leave(self, run_id: str) -> None:
        """Take an event out of its lane, wherever it stands there."""
        fire = self._by_run.pop(run_id, None)
        lane = self._lanes.get((fire.rule, fire.key)) if fire else None
        if fire is None or lane is None:
            return
        if fire in lane.waiting:
            lane.waiting.remove(fire)
            self._waiting[fire.rule] -= 1
        lane.active.pop(run_id, None)
        if lane.waiting:
            self._wake(lane)
        else:
            self._discard(lane)

    def _wake(self, lane: Lane) -> None:
        self._due[lane.rule, lane.key] = None
        self._news.set()

    def _discard(self, lane: Lane) -> None:
        name = (lane.rule, lane.key)
        if lane.empty and self._lanes.get(name) is lane:
            del self._lanes[name]
            self._due.pop(name, None)
