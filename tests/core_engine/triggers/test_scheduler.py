"""Starts by time: due, missed, after a crash, and never twice."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from core_engine.triggers.rules import id_from
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.triggers.desk import engine, given, quick, rule, runs, save, until

START = 1_700_000_000_000  # 22:13:20 UTC
MINUTE = 60_000
FIRST = 1_700_000_040_000  # 22:14


async def due_runs(of: Any) -> list[str]:
    return sorted([(await given(of, run.job_id))["due"] for run in await runs(of)])


async def test_a_due_time_starts_one_run_as_the_owner(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"cron_string": "* * * * *"}, payload={"who": "me"})
        await of.triggers.scheduler.turn()
        assert of.triggers.describe(made).next_run_time == FIRST
        assert await runs(of) == []
        clock.ms = FIRST + 20
        await of.triggers.scheduler.turn()
        await of.triggers.scheduler.turn()
        (run,) = await until(lambda: runs(of))
        assert (run.job_id, run.origin) == (id_from("due", made.id, FIRST), f"trigger:{made.id}")
        assert (run.started_by, run.preset_name) == (made.owner, "flow")
        event = await given(of, run.job_id)
        assert event["triggered_by"] == "scheduler"
        assert event["due"] == "2023-11-14T22:14:00.000Z"
        assert event["who"] == "me"
        assert event["trigger_info"]["rule_id"] == made.id
        item = of.triggers.describe(made)
        assert (item.last_due, item.next_run_time) == (FIRST, FIRST + MINUTE)


@pytest.mark.parametrize(("missed", "made_up"), [("skip", 0), ("run_once", 1), ("run_all", 5)])
async def test_what_was_due_while_the_engine_was_down(tmp_path: Path, missed: str, made_up: int) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"cron_string": "* * * * *", "missed": missed})
        await of.triggers.scheduler.turn()
    clock.ms = FIRST + 4 * MINUTE + 30_000  # five times have passed, the last one only just
    async with engine(tmp_path, clock) as of:
        await of.triggers.scheduler.turn()
        assert len(await due_runs(of)) == made_up
        assert of.triggers.counts.of(made.id).missed == 5
        assert of.triggers.scheduler.next_run(made.id) == FIRST + 5 * MINUTE
    async with engine(tmp_path, clock) as of:
        await of.triggers.scheduler.turn()
        assert len(await due_runs(of)) == made_up


async def test_missed_times_are_made_up_for_in_bounds(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        policy = {"kind": "queue"}
        config = {"interval_seconds": 1, "missed": "run_all"}
        made = await rule(of, "cron", config=config, policy=policy)
        await of.triggers.scheduler.turn()
    clock.ms += 5 * MINUTE
    async with engine(tmp_path, clock) as of:
        await of.triggers.scheduler.turn()
        await until(lambda: len_runs(of, 100))
        assert of.triggers.describe(made).next_run_time == clock.ms + 1000


async def len_runs(of: Any, count: int) -> bool:
    return len(await runs(of)) == count


async def test_a_crash_between_noting_and_starting_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"cron_string": "* * * * *"})
        await of.triggers.scheduler.turn()

        async def crash(*_: Any) -> None:
            raise FloworkError(ErrorCode.ENGINE_UNAVAILABLE, "gone")

        monkeypatch.setattr(of.triggers.starter, "start", crash)
        clock.ms = FIRST
        await of.triggers.scheduler.turn()
        assert [fire.run_id for fire in of.triggers.table.fires()] == [id_from("due", made.id, FIRST)]
        assert await runs(of) == []
    async with engine(tmp_path, clock) as of:
        await of.triggers.scheduler.turn()
        (run,) = await until(lambda: runs(of))
        assert run.job_id == id_from("due", made.id, FIRST)
        await until(lambda: not of.triggers.table.fires())


async def test_a_full_disk_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"cron_string": "* * * * *"})
        await of.triggers.scheduler.turn()

        async def full(_: Any) -> None:
            raise FloworkError(ErrorCode.STORAGE_FULL, "full")

        clock.ms = FIRST
        with monkeypatch.context() as patch:
            patch.setattr(of.triggers.table, "remember", full)
            await of.triggers.scheduler.turn()
        assert of.triggers.scheduler.next_run(made.id) == FIRST
        clock.ms = FIRST + 6000
        await of.triggers.scheduler.turn()
        (run,) = await until(lambda: runs(of))
        assert run.job_id == id_from("due", made.id, FIRST)


async def test_switched_off_time_is_not_missed(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"cron_string": "* * * * *", "missed": "run_all"})
        await of.triggers.switch(made.id, on=False)
        await of.triggers.scheduler.turn()
        clock.ms = FIRST + 10 * MINUTE
        await of.triggers.scheduler.turn()
        assert of.triggers.describe(of.triggers.rules.get(made.id)).next_run_time is None
        await of.triggers.switch(made.id, on=True)
        await of.triggers.scheduler.turn()
        assert await runs(of) == []
        assert of.triggers.scheduler.next_run(made.id) == FIRST + 11 * MINUTE


async def test_a_clock_that_jumps_starts_nothing_twice(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"cron_string": "* * * * *", "missed": "skip"})
        await of.triggers.scheduler.turn()
        for ms in (FIRST, FIRST - 20_000, FIRST + MINUTE, FIRST, FIRST + 3_600_000, FIRST + 2 * MINUTE + 5):
            clock.ms = ms
            await of.triggers.scheduler.turn()
        await until(lambda: len_runs(of, 2))
        clock.ms = START + 86_400_000
        await of.triggers.scheduler.turn()
        clock.ms = FIRST + 5 * MINUTE
    async with engine(tmp_path, clock) as of:
        await of.triggers.scheduler.turn()
        assert of.triggers.scheduler.next_run(made.id) == FIRST + 6 * MINUTE
        clock.ms = FIRST + 6 * MINUTE
        await of.triggers.scheduler.turn()
        await until(lambda: len_runs(of, 3))


@pytest.mark.parametrize("seed", range(2))
async def test_at_most_one_run_for_each_due_time_whatever_happens(tmp_path: Path, seed: int) -> None:
    dice, clock = random.Random(seed), ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        for missed in ("skip", "run_once", "run_all"):
            await rule(
                of, "cron", config={"cron_string": "*/2 * * * *", "missed": missed, "late_seconds": 30}
            )
    for _ in range(3):
        async with engine(tmp_path, clock) as of:
            for _ in range(4):
                clock.ms += dice.choice([-90_000, 1, 1000, 60_000, 119_999, 400_000])
                await of.triggers.scheduler.turn()
    async with engine(tmp_path, clock) as of:
        await until(lambda: not of.triggers.table.fires())
        seen = [(run.origin, (await given(of, run.job_id))["due"]) for run in await runs(of)]
        assert len(seen) == len(set(seen)) > 0
        for origin, due in seen:
            assert due.endswith(":00.000Z")
            assert int(due[14:16]) % 2 == 0, (origin, due)


async def test_once_starts_once(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"at": "2023-11-14T22:14:00Z"})
        await of.triggers.scheduler.turn()
        clock.ms = FIRST + 5
        await of.triggers.scheduler.turn()
        await until(lambda: len_runs(of, 1))
        assert of.triggers.scheduler.next_run(made.id) is None


async def test_the_preview_tells_what_comes_over_all_rules(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        one = await rule(of, "cron", name="one", config={"cron_string": "0 * * * *"})
        two = await rule(of, "cron", name="two", config={"interval_seconds": 1800})
        await rule(of, "cron", enabled=False, config={"cron_string": "* * * * *"})
        found = of.triggers.preview(None, START + 2 * 3_600_000, 50)
        assert [start.due for start in found] == sorted(start.due for start in found)
        assert sum(start.rule_id == one.id for start in found) == 2
        assert sum(start.rule_id == two.id for start in found) == 4
        assert len(of.triggers.preview(None, None, 3)) == 3
