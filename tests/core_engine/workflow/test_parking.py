"""Runs that only wait leave memory, come back when something happens to them, and lose nothing on the way."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.builtin.manual_approval.component import ManualApproval
from core_engine.components.builtin.wait_until.component import WaitUntil
from core_engine.kernel.ports import StartRun
from core_engine.kernel.suspension import Answer, Ending, SignedAnswer
from core_engine.storage import Write
from core_engine.workflow import records as r
from core_engine.workflow.aids import aids_option
from shared.clock import ManualClock, SystemClock
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.test_recovery import crash, load
from tests.core_engine.workflow.workshop import (
    OWNER,
    Bench,
    Registry,
    Watcher,
    bench,
    chain,
    eventually,
    workflow,
)

ASK = workflow("a>b", "b:approved>c", a="add", b="manual_approval", c="effect")
YES = SignedAnswer(Answer(Ending.APPROVED, OWNER), "m", "0x1", OWNER, True, "{}")


def parts() -> Registry:
    return Registry([ManualApproval(), WaitUntil()])


def wait(seconds: float) -> dict[str, Any]:
    return workflow("w>c", w={"module_id": "wait_until", "config_values": {"seconds": seconds}}, c="effect")


async def parked(shop: Bench, count: int = 1) -> None:
    """Wait until so many runs, and no other, are open and out of memory."""
    await eventually(lambda: shop.runs._parking.count == count and not shop.runs._conductor.runs)
    assert shop.runs.open_runs == count


def notes(shop: Bench) -> list[Any]:
    return shop.store.reads.query("SELECT id FROM parked")


async def test_an_approval_leaves_memory_and_an_answer_brings_it_back(tmp_path: Path):
    async with bench(tmp_path, parts(), park_after=0.0) as shop:
        watcher = await shop.start(ASK)
        await parked(shop)
        assert not shop.runs.busy
        assert shop.runs.summary("run-1").status is RunStatus.RUNNING
        late = Watcher()
        await shop.runs.subscribe("run-1", late, 0)
        await shop.runs.answer("run-1", "b", YES)
        assert await watcher.end() == await late.end() == "SUCCEEDED"
        assert watcher.seqs == late.seqs == list(range(1, len(watcher.seqs) + 1))
        assert shop.registry["effect"].done == ["run-1/c"]
        assert (shop.runs.open_runs, notes(shop)) == (0, [])


async def test_parked_runs_are_not_loaded_at_a_start(tmp_path: Path):
    async with bench(tmp_path, parts(), park_after=0.0) as shop:
        await shop.start(ASK)
        await parked(shop)
    async with bench(tmp_path, parts()) as shop:
        assert await shop.runs.recover() == 1
        assert not shop.runs._conductor.runs
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, 0)
        await shop.runs.answer("run-1", "b", YES)
        assert await watcher.end() == "SUCCEEDED"
        assert watcher.seqs == list(range(1, len(watcher.seqs) + 1))


async def test_it_comes_back_when_its_time_has_come(tmp_path: Path):
    async with bench(tmp_path, parts(), park_after=0.0) as shop:
        await shop.start(wait(7200))
        await shop.start(wait(0.2), "soon")
        await eventually(lambda: shop.registry["effect"].done == ["soon/c"])
        await parked(shop)
    clock = ManualClock(SystemClock().now_ms() + 3_600_000)
    async with bench(tmp_path, parts(), clock=clock) as shop:
        assert await shop.runs.recover() == 1
        assert notes(shop) == [("run-1",)]
    clock.advance(7_200)
    async with bench(tmp_path, parts(), clock=clock) as shop:
        assert await shop.runs.recover() == 1
        await eventually(lambda: shop.runs.open_runs == 0)
        assert shop.registry["effect"].done == ["run-1/c"]


async def test_stop_pause_resume_and_debug_reach_it(tmp_path: Path):
    async with bench(tmp_path, parts(), park_after=0.0) as shop:
        await shop.start(ASK)
        await parked(shop)
        await shop.runs.pause("run-1", OWNER)
        await parked(shop)
        assert shop.runs.summary("run-1").status is RunStatus.PAUSED
        await shop.runs.resume("run-1", OWNER)
        await parked(shop)
        frame = await shop.runs.stop("run-1", OWNER)
        assert frame["status_data"]["status"] == "STOPPED"
        watcher = await shop.start(chain(3), "held", options=aids_option({}, ["n0>n1"]))
        await parked(shop)
        assert [x.connection_id for x in (await shop.runs.details("held")).at_breakpoints] == ["n0>n1"]
        await shop.runs.debug("held", lambda run: run.let_pass(None, OWNER, step=False))
        assert await watcher.end() == "SUCCEEDED"
        assert notes(shop) == []


async def test_what_runs_or_is_about_to_stays(tmp_path: Path):
    async with bench(tmp_path, parts(), park_after=0.0) as shop:
        both = workflow(g="gate", b="manual_approval")
        watcher = await shop.start(both)
        await shop.registry["gate"].arrived.wait()
        await shop.start(wait(30), "soon")
        await shop.start(ASK, "other")
        await eventually(lambda: shop.runs._parking.count == 1)
        assert set(shop.runs._conductor.runs) == {"run-1", "soon"}
        shop.registry["gate"].open.set()
        await eventually(lambda: shop.runs._parking.count == 2)
        await shop.runs.answer("run-1", "b", YES)
        assert await watcher.end() == "SUCCEEDED"


async def test_they_do_not_count_as_open_runs_at_a_start(tmp_path: Path):
    async with bench(tmp_path, parts(), park_after=0.0, max_open_runs=2) as shop:
        for number in range(6):
            await shop.start(ASK, f"run-{number}")
            await parked(shop, number + 1)
        frame = await shop.runs.start(StartRun("run-3", ASK, OWNER))
        assert frame["status_data"]["status"] == "RUNNING"
        assert await shop.runs.stop("run-3", OWNER)
        await parked(shop, 5)


async def test_answers_at_any_moment_of_the_parking_lose_nothing(tmp_path: Path):
    rng = random.Random(3)
    shop = Bench(tmp_path / "engine", parts(), park_after=0.0)

    async def one(number: int) -> None:
        name = f"run-{number}"
        watcher = await shop.start(ASK, name)
        await watcher.until(lambda f: f["type"] == "MANUAL_APPROVAL_REQUESTED")
        await asyncio.sleep(rng.uniform(0, 0.02))
        await asyncio.sleep(rng.uniform(0, 0.02))
        await shop.runs.pause(name, OWNER)
        await asyncio.sleep(rng.uniform(0, 0.02))
        await shop.runs.answer(name, "b", YES)
        await asyncio.sleep(rng.uniform(0, 0.02))
        if number % 2:
            await shop.runs.resume(name, OWNER)

    await asyncio.gather(*(one(number) for number in range(60)))
    await crash(shop, tmp_path / "copy")
    async with bench(tmp_path / "copy", parts(), park_after=0.0) as again:
        await again.runs.recover()
        for number in range(0, 60, 2):
            await again.runs.resume(f"run-{number}", OWNER)
        await eventually(lambda: again.runs.open_runs == 0)
        assert notes(again) == []
        for number in range(60):
            name = f"run-{number}"
            cut = any(isinstance(record, r.StepUnknown) for record in load(again, name).records)
            assert again.runs.summary(name).status.value == ("FAILED" if cut else "SUCCEEDED")


async def test_who_follows_it_or_asks_for_it_while_it_comes_back_misses_nothing(tmp_path: Path):
    """Its note is gone then, and it is not in memory yet."""
    async with bench(tmp_path, parts(), park_after=0.0) as shop:
        await shop.start(ASK)
        await parked(shop)
        late, write = Watcher(), shop.store.write

        async def meanwhile(content: Write) -> None:
            await write(content)
            if content.unparked:
                assert (notes(shop), dict(shop.runs._conductor.runs)) == ([], {})
                await shop.runs.subscribe("run-1", late, 0)
                asking.append(asyncio.create_task(shop.start(ASK)))
                await asyncio.sleep(0)

        asking: list[asyncio.Task[Watcher]] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shop.store, "write", meanwhile)
            await shop.runs.answer("run-1", "b", YES)
        assert await late.end() == "SUCCEEDED"
        assert late.seqs == list(range(1, len(late.seqs) + 1))
        assert await (await asking[0]).end() == "SUCCEEDED"
        assert len(shop.store.reads.query("SELECT id FROM run")) == 1


async def test_a_damaged_one_is_held_when_it_is_asked_for(tmp_path: Path):
    async with bench(tmp_path, parts(), park_after=0.0) as shop:
        await shop.start(ASK)
        await parked(shop)
    link = sqlite3.connect(tmp_path / "engine.db")
    link.execute("UPDATE segment SET body = x'00'")
    link.commit()
    link.close()
    async with bench(tmp_path, parts()) as shop:
        await shop.runs.recover()
        with pytest.raises(FloworkError, match="has ended") as caught:
            await shop.runs.answer("run-1", "b", YES)
        assert caught.value.code is ErrorCode.CONFLICT
        summary = shop.runs.summary("run-1")
        assert summary.status is RunStatus.FAILED
        assert "JOURNAL_CORRUPT" in (summary.error_message or "")
        assert shop.runs.open_runs == 0


async def test_a_thousand_that_wait_are_not_in_memory(tmp_path: Path):
    async with bench(tmp_path, parts(), park_after=0.0) as shop:
        for number in range(0, 1000, 50):
            await asyncio.gather(
                *(shop.runs.start(StartRun(f"run-{n}", ASK, OWNER)) for n in range(number, number + 50))
            )
        await parked(shop, 1000)
    async with bench(tmp_path, parts()) as shop:
        assert await shop.runs.recover() == 1000
        assert not shop.runs._conductor.runs
        await shop.runs.answer("run-777", "b", YES)
        await eventually(lambda: shop.runs.open_runs == 999)
