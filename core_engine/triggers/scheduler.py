"""Fires rules by time: one task and one heap, woken by the next due time, by changes and by jumps of the clock."""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from itertools import islice, takewhile
from typing import Any, Literal, Protocol

from core_engine.components.builtin.cron_trigger.component import CronConfig
from core_engine.components.times import Timetable
from core_engine.storage.triggers import Remembered, TriggerTable
from core_engine.triggers.alarms import Alarms
from core_engine.triggers.counts import Counts
from core_engine.triggers.rulebook import RuleBook
from core_engine.triggers.rules import Rule, id_from
from shared.clock import Clock, iso
from shared.contract.trigger import PlannedStart
from shared.errors import FloworkError

MOST_MISSED = 100
_LONGEST_SLEEP = 10.0
_CLOCK_BACK_MS = 300_000
_RETRY_MS = 5000
_log = logging.getLogger(__name__)


class Firing(Protocol):
    """Has a rule fire for a due time; see `TriggerService.fire`."""

    def __call__(
        self, rule: Rule, event: dict[str, Any], *, run_id: str, decided: tuple[str, int]
    ) -> Awaitable[Any]:
        """Take the event in; the due time is noted in the same write."""
        ...


class Scheduler:
    """Every due time of a rule is decided once: fired, or skipped as missed. What was decided last is on the disk."""

    def __init__(  # noqa: PLR0913 - what it is wired with
        self,
        table: TriggerTable,
        rules: RuleBook,
        clock: Clock,
        fire: Firing,
        *,
        counts: Counts,
        alarms: Alarms,
    ) -> None:
        self._table = table
        self._rules = rules
        self._clock = clock
        self._counts = counts
        self._alarms = alarms
        self._fire = fire
        self._decided: dict[str, int] = {}
        self._next: dict[str, tuple[int, int]] = {}
        self._changed_rules: set[str] = set()
        self._heap: list[tuple[int, str]] = []
        self._seen = 0
        self._turning = asyncio.Lock()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def load(self) -> None:
        """Read what was decided by earlier processes."""
        self._decided = self._table.decided()

    def start(self) -> None:
        """Begin to fire."""
        for rule in self._rules.of_kind("cron"):
            self._plan(rule.id)
        self._rules.subscribe(self._changed)
        self._task = asyncio.create_task(self._work(), name="trigger scheduler")

    async def close(self) -> None:
        """Stop firing."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def next_run(self, rule_id: str) -> int | None:
        """Return the next due time of a rule, in Unix milliseconds."""
        planned = self._next.get(rule_id)
        return planned[1] if planned else None

    def last_due(self, rule_id: str) -> int | None:
        """Return the last due time that was decided for a rule."""
        return self._decided.get(rule_id)

    def preview(self, from_ms: int, until_ms: int, limit: int) -> list[PlannedStart]:
        """Return the starts after one time and up to another, soonest first."""

        def starts(rule: Rule, times: Iterator[int]) -> Iterator[tuple[int, str, Rule]]:
            return ((due, rule.id, rule) for due in times)

        found = []
        for rule in self._rules.of_kind("cron"):
            table = self._timetable(rule)
            if table:
                found.append(starts(rule, table.after(from_ms)))
        planned = []
        for due, rule_id, rule in islice(heapq.merge(*found, key=lambda start: start[:2]), limit):
            if due > until_ms:
                break
            planned.append(
                PlannedStart(due=due, rule_id=rule_id, preset_name=rule.preset, rule_name=rule.name)
            )
        return planned

    async def turn(self) -> float:
        """Fire what is due; return the seconds until the next due time, at most a few."""
        async with self._turning:
            return await self._turn()

    async def _turn(self) -> float:
        self._look_at_clock()
        while self._changed_rules:
            # What passed before a rule was made, changed or switched on is nobody's missed start.
            rule_id = self._changed_rules.pop()
            if self._rules.find(rule_id) is not None:
                await self._decide(rule_id, self._clock.now_ms())
            self._plan(rule_id)
        while self._heap:
            when, rule_id = self._heap[0]
            planned = self._next.get(rule_id)
            if planned is None or planned[0] != when:
                heapq.heappop(self._heap)  # the rule was changed since
                continue
            now = self._clock.now_ms()
            if when > now:
                return min(_LONGEST_SLEEP, (when - now) / 1000)
            heapq.heappop(self._heap)
            del self._next[rule_id]
            await self._due(rule_id, planned[1])
        return _LONGEST_SLEEP

    def _look_at_clock(self) -> None:
        """Plan anew when the clock was set back: what was planned by the earlier time would come far too late."""
        now = self._clock.now_ms()
        if self._seen - now > _CLOCK_BACK_MS:
            for rule in self._rules.of_kind("cron"):
                self._plan(rule.id)
        self._seen = now

    async def _work(self) -> None:
        while True:
            self._news.clear()
            pause = _RETRY_MS / 1000
            try:
                pause = await self.turn()
            except FloworkError as error:
                _log.error("the schedule cannot be kept now", extra={"reason": error.message})
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news.wait()

    async def _due(self, rule_id: str, due: int) -> None:
        """Decide what is due of one rule, and plan its next time."""
        rule, config = self._rules.find(rule_id), self._rules.config(rule_id)
        if rule is None or not isinstance(config, CronConfig) or not rule.enabled:
            return
        now = self._clock.now_ms()
        late = now - due > config.late_seconds * 1000
        moments, decided = self._missed(rule, config, due, now) if late else ([due], due)
        for place, moment in enumerate(moments, 1):
            mark = decided if place == len(moments) else moment
            if not await self._fired(rule, moment, mark, now):
                self._plan(rule_id, not_before=now + _RETRY_MS)
                return
        if not moments:
            await self._decide(rule_id, decided)
        self._plan(rule_id)

    def _missed(self, rule: Rule, config: CronConfig, due: int, now: int) -> tuple[list[int], int]:
        """Return the missed times that are made up for, and up to when all is decided by that."""
        following = config.timetable(rule.created_at).after(due - 1)
        times = list(takewhile(lambda moment: moment <= now, islice(following, MOST_MISSED + 1)))
        kept = {"skip": 0, "run_once": 1, "run_all": MOST_MISSED}[config.missed]
        self._counts.add(rule.id, "missed", len(times))
        facts = {"rule": rule.id, "preset": rule.preset, "due": iso(due), "late_seconds": (now - due) / 1000}
        _log.warning("starts by time were missed", extra=facts | {"missed": len(times), "made_up_for": kept})
        made_up = times[:kept]
        self._tell(rule, "late", made_up, now)
        self._tell(rule, "not_started", times[kept:], now)
        return made_up, now

    def _tell(self, rule: Rule, kind: Literal["late", "not_started"], times: list[int], now: int) -> None:
        if times:
            what = "comes late" if kind == "late" else "was missed and is not made up for"
            many = (
                f"{len(times)} starts by time, the first of which"
                if len(times) > 1
                else "A start by time that"
            )
            text = f"{many} was due {(now - times[0]) / 1000:g} s ago, {what}."
            self._alarms.raise_for(rule, kind, text, due=times[0], count=len(times))

    async def _fired(self, rule: Rule, moment: int, decided: int, now: int) -> bool:
        """Fire for a due time; tell whether it is decided by that. A start that fails for good is reported."""
        event = {
            "triggered_by": "scheduler",
            "rule_id": rule.id,
            "due": iso(moment),
            "late_seconds": max(0, now - moment) / 1000,
        }
        run_id = id_from("due", rule.id, moment)
        try:
            await self._fire(rule, event, run_id=run_id, decided=(rule.id, decided))
        except FloworkError as error:
            facts = {"rule": rule.id, "due": iso(moment), "reason": error.message}
            _log.error("a due start failed", extra=facts)
            if error.meaning.retryable:
                return False
            self._alarms.raise_for(rule, "not_started", error.message, due=moment)
            await self._decide(rule.id, decided)
        self._decided[rule.id] = decided
        return True

    async def _decide(self, rule_id: str, moment: int) -> None:
        await self._table.remember(Remembered(decided=(rule_id, moment)))
        self._decided[rule_id] = moment

    def _plan(self, rule_id: str, not_before: int = 0) -> None:
        """Put a rule's next due time on the heap."""
        rule = self._rules.find(rule_id)
        table = self._timetable(rule) if rule and rule.enabled else None
        self._next.pop(rule_id, None)
        if rule is None or table is None:
            return
        now = self._clock.now_ms()
        base = self._decided.get(rule_id, rule.created_at)
        if base - now > _CLOCK_BACK_MS:
            base = now  # the clock was far ahead when that was decided
        due = table.first_after(base)
        if due is not None:
            when = max(due, not_before)
            self._next[rule_id] = (when, due)
            heapq.heappush(self._heap, (when, rule_id))

    def _timetable(self, rule: Rule) -> Timetable | None:
        config = self._rules.config(rule.id)
        return config.timetable(rule.created_at) if isinstance(config, CronConfig) else None

    def _changed(self, rule_id: str) -> None:
        if self._rules.find(rule_id) is None:
            self._decided.pop(rule_id, None)
        else:
            self._decided[rule_id] = self._clock.now_ms()
        self._plan(rule_id)
        self._changed_rules.add(rule_id)  # to be noted durably, which takes its time
        self._news.set()
