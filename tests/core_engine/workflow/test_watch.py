"""Deadlines and alarms: recorded once, also over restarts, and never for a run that rightly waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.component import Component, Config
from core_engine.kernel.payload import Result
from core_engine.kernel.ports import RaisedAlarm
from core_engine.kernel.suspension import Suspend
from core_engine.workflow import records as r
from shared.clock import SystemClock
from tests.core_engine.places import WORKERS
from tests.core_engine.workflow.test_recovery import load
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, Watcher, bench, eventually, workflow


class Nap(Component[Config]):
    """Waits for an hour."""

    id = "nap"
    name = "Nap"
    description = "Waits."
    category = "test"

    def execute(self, context, config, payload):
        return Suspend(after_ms=3_600_000)

    def resume(self, context, config, payload, answer):
        return Result({"success": payload})


class Later(SystemClock):
    """Ten minutes later."""

    def now_ms(self) -> int:
        return super().now_ms() + 600_000


def timed(module: str = "gate", **flow: Any) -> dict[str, Any]:
    return workflow("a>b", a=module, b="add") | {"settings": {"flow": flow}}


def heard(shop: Bench) -> list[RaisedAlarm]:
    alarms: list[RaisedAlarm] = []
    shop.runs.on_alarm(alarms.append)
    return alarms


@pytest.mark.parametrize("module", ["gate", "nap", "once_gate"])
async def test_a_missed_deadline_interrupts_and_fails_the_run(
    tmp_path: Path, module: str, place: str
) -> None:
    registry = Registry((Nap(),))
    async with bench(tmp_path, registry) as shop:
        watcher = await shop.start(timed(module, deadline_seconds=3 if place == WORKERS else 0.1))
        assert await watcher.end() == "FAILED"
        assert "DEADLINE_EXCEEDED" in watcher.frames[-1]["status_data"]["error_message"]
        assert await shop.nodes() == {"a": "CANCELLED", "b": "CANCELLED"}
        if module != "nap":
            await eventually(lambda: registry[module].cancelled == 1)
        cancelled = next(x for x in load(shop).records if isinstance(x, r.StepCancelled))
        assert "deadline" in cancelled.error
        assert watcher.seqs == list(range(1, watcher.seqs[-1] + 1))


async def test_a_deadline_counts_from_the_start_also_while_the_engine_is_down(tmp_path: Path) -> None:
    async with bench(tmp_path, Registry()) as shop:
        await shop.start(timed(deadline_seconds=300))
        await shop.registry["gate"].arrived.wait()
    async with bench(tmp_path, Registry(), clock=Later()) as again:
        await again.runs.recover()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "FAILED"


async def test_after_a_missed_deadline_the_final_part_runs_within_its_time(
    tmp_path: Path, place: str
) -> None:
    data = timed(deadline_seconds=0.1, finally_seconds=3 if place == WORKERS else 0.1)
    data["nodes"] += [
        {"id": "f", "name": "F", "module_id": "keyed_gate", "finally": True},
        {"id": "g", "name": "G", "module_id": "add", "finally": True},
    ]
    async with bench(tmp_path) as shop:
        watcher = await shop.start(data)
        assert await watcher.end() == "FAILED"
        assert "DEADLINE_EXCEEDED" in watcher.frames[-1]["status_data"]["error_message"]
        assert (await shop.nodes())["f"] == "CANCELLED"
        assert (await shop.nodes())["g"] == "SUCCESS"


async def test_a_deadline_in_the_final_part_of_a_good_run_fails_it(tmp_path: Path) -> None:
    data = workflow(a="add", f={"module_id": "gate", "finally": True})
    data["settings"] = {"flow": {"deadline_seconds": 0.2}}
    async with bench(tmp_path) as shop:
        watcher = await shop.start(data)
        assert await watcher.end() == "FAILED"
        assert "DEADLINE_EXCEEDED" in watcher.frames[-1]["status_data"]["error_message"]


async def test_late_and_stuck_are_told_once_each(tmp_path: Path) -> None:
    async with bench(tmp_path) as shop:
        alarms = heard(shop)
        data = timed(alarm_after_seconds=0.15, stuck_after_seconds=0.05, alarm_preset="Call me")
        watcher = await shop.start(data)
        await watcher.until(lambda frame: frame.get("kind") == "late")
        await watcher.until(lambda frame: frame.get("kind") == "stuck")
        shop.registry["gate"].open.set()
        assert await watcher.end() == "SUCCEEDED"
        assert sorted(alarm.kind for alarm in alarms) == ["late", "stuck"]
        assert {(alarm.preset, alarm.started_by, alarm.run_id) for alarm in alarms} == {
            ("Call me", OWNER, "run-1")
        }
        assert len(watcher.of("RUN_ALARM")) == 2


async def test_an_alarm_is_told_again_after_a_restart_but_not_raised_again(tmp_path: Path) -> None:
    async with bench(tmp_path) as shop:
        watcher = await shop.start(timed(alarm_after_seconds=0.05))
        await watcher.until(lambda frame: frame.get("kind") == "late")
    async with bench(tmp_path) as again:
        alarms = heard(again)
        await again.runs.recover()
        assert [alarm.kind for alarm in alarms] == ["late"]
        again.registry["gate"].open.set()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        await watcher.end()
        assert len(watcher.of("RUN_ALARM")) == 1


async def test_a_run_that_waits_or_is_paused_is_not_stuck(tmp_path: Path) -> None:
    async with bench(tmp_path, Registry((Nap(),))) as shop:
        waiting = await shop.start(timed("nap", stuck_after_seconds=0.02), "waiting")
        clock = await shop.start(timed(alarm_after_seconds=0.5), "clock")
        await clock.until(lambda frame: frame.get("kind") == "late")
        assert not waiting.of("RUN_ALARM")
        await shop.start(timed(stuck_after_seconds=600), "paused")
        run = shop.runs._conductor.runs["paused"]
        assert not run._rests()
        await shop.runs.pause("paused", OWNER)
        assert run._rests()
