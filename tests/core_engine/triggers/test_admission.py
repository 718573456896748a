"""What runs beside what: every policy on a real engine, also over a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core_engine.triggers.rules import Rule
from shared.clock import ManualClock
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.triggers.desk import (
    OWNER_ADDRESS,
    ended,
    engine,
    flow,
    node,
    pause,
    quick,
    rule,
    runs,
    save,
    until,
)

START = 1_700_000_000_000


async def fire(of: Any, made: Rule, **event: Any) -> tuple[str, str | None]:
    verdict = await of.triggers.fire(made, event)
    return verdict.outcome.value, verdict.run_id


async def stop(of: Any, run_id: str | None) -> None:
    await of.runs.stop(run_id, OWNER_ADDRESS)


async def running(of: Any) -> list[str]:
    return [run.job_id for run in await runs(of) if run.finished_at is None]


async def test_parallel_runs_up_to_its_limit(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "flow", pause())
        made = await rule(of, "manual", policy={"kind": "parallel", "limit": 2})
        fired = [await fire(of, made) for _ in range(3)]
        assert [outcome for outcome, _ in fired] == ["started", "started", "waiting"]
        assert of.triggers.admission.figures(made.id) == (2, 1)
        await stop(of, fired[0][1])
        await until(lambda: of.triggers.starter.status(str(fired[2][1])) is False)
        assert await running(of) == [fired[1][1], fired[2][1]]
        assert of.triggers.admission.figures(made.id) == (2, 0)


async def test_single_drops_what_comes_meanwhile(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "flow", pause())
        made = await rule(of, "manual", policy={"kind": "single"})
        outcome, first = await fire(of, made)
        assert outcome == "started"
        assert await fire(of, made) == ("dropped", None)
        assert of.triggers.counts.of(made.id).dropped == 1
        await stop(of, first)
        await until(lambda: of.triggers.admission.figures(made.id) == (0, 0))
        assert (await fire(of, made))[0] == "started"


async def test_restart_stops_the_running_one(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "flow", pause())
        made = await rule(of, "manual", policy={"kind": "restart"})
        _, first = await fire(of, made)
        outcome, second = await fire(of, made)
        assert outcome == "started"
        assert of.runs.summary(str(first)).status is RunStatus.STOPPED
        assert await running(of) == [second]


async def test_each_key_has_a_lane_of_its_own(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(
            of,
            "flow",
            pause() | {"settings": {"trigger": {"policy": {"kind": "queue", "key": "body.customer"}}}},
        )
        made = await rule(of, "manual")
        fired = [await fire(of, made, body={"customer": name}) for name in ("a", "a", "b", "b", "c")]
        assert [outcome for outcome, _ in fired] == ["started", "waiting", "started", "waiting", "started"]
        await stop(of, fired[2][1])
        await until(lambda: of.triggers.starter.status(str(fired[3][1])) is False)
        assert of.triggers.starter.status(str(fired[1][1])) is None


async def test_a_queue_keeps_its_order_over_restarts_and_is_bounded(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "flow", pause())
        made = await rule(of, "manual", policy={"kind": "queue", "queue_limit": 2})
        fired = [await fire(of, made) for _ in range(4)]
        assert [outcome for outcome, _ in fired] == ["started", "waiting", "waiting", "refused"]
    for place in range(2):
        async with engine(tmp_path) as of:
            assert await running(of) == [fired[place][1]]
            await stop(of, fired[place][1])
            await until(lambda: of.triggers.starter.status(str(fired[place + 1][1])) is False)  # noqa: B023
    async with engine(tmp_path) as of:
        await stop(of, fired[2][1])
        await until(lambda: not of.triggers.table.fires())
        assert len(await runs(of)) == 3


async def test_debounce_starts_the_last_one_also_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "manual", policy={"kind": "debounce", "seconds": 30})
        fired = []
        for _ in range(3):
            clock.advance(20)
            fired.append(await fire(of, made))
            await of.triggers.admission.turn()
        assert [outcome for outcome, _ in fired] == ["waiting"] * 3
        assert of.triggers.counts.of(made.id).dropped == 2
        assert await runs(of) == []
    async with engine(tmp_path, clock) as of:
        await of.triggers.admission.turn()
        assert await runs(of) == []
        clock.advance(31)
        await of.triggers.admission.turn()
        (run,) = await until(lambda: runs(of))
        assert run.job_id == fired[-1][1]


async def test_an_engine_that_is_full_is_tried_again(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock, ENGINE_MAX_OPEN_RUNS="1") as of:
        await save(of, "flow", pause())
        made = await rule(of, "manual")
        (_, first), (outcome, second) = await fire(of, made), await fire(of, made)
        assert outcome == "waiting"
        await stop(of, first)
        await ended(of, str(first))
        clock.advance(2)
        await of.triggers.admission.turn()
        await until(lambda: of.triggers.starter.status(str(second)) is False)


async def test_what_can_never_start_is_dropped_and_told(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "flow", flow(node("a", "no_such_component")))
        made = await rule(of, "manual")
        with pytest.raises(FloworkError) as caught:
            await fire(of, made)
        assert caught.value.code is ErrorCode.INVALID_WORKFLOW
        assert of.triggers.table.fires() == []
        assert of.triggers.counts.of(made.id).failed == 1


async def test_a_deleted_rule_takes_what_waits_along(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "flow", pause())
        made = await rule(of, "manual", policy={"kind": "queue"})
        first, second = await fire(of, made), await fire(of, made)
        await of.triggers.delete(made.id)
        await until(lambda: not of.triggers.table.fires())
        await stop(of, first[1])
        assert of.triggers.starter.status(str(second[1])) is None


@pytest.mark.parametrize("kind", ["parallel", "single", "restart", "queue", "debounce"])
async def test_the_same_event_starts_one_run_under_every_policy(tmp_path: Path, kind: str) -> None:
    async with engine(tmp_path) as of:
        await save(of, "flow", quick())
        seconds = 0.05 if kind == "debounce" else 0
        made = await rule(of, "manual", policy={"kind": kind, "seconds": seconds})
        for _ in range(3):
            assert (await of.triggers.fire(made, {}, run_id="once")).run_id == "once"
        await until(lambda: of.triggers.starter.status("once"))
        assert (await of.triggers.fire(made, {}, run_id="once")).outcome.value == "duplicate"
        assert [run.job_id for run in await runs(of)] == ["once"]
