"""History goes by age, number and size, oldest first; what is under way stays."""

from __future__ import annotations

from pathlib import Path

from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import ParentStep
from core_engine.workflow.retention import DAY_MS, KeepLimits, Retention
from shared.clock import ManualClock
from tests.core_engine.workflow.workshop import Bench, bench, chain, workflow

NOW = 1_800_000_000_000


def kept(shop: Bench) -> list[str]:
    return [row[0] for row in shop.store.reads.query("SELECT id FROM run ORDER BY number")]


async def sweep(
    shop: Bench, clock: ManualClock, *, days: float = 0, runs: int = 0, megabytes: int = 0
) -> int:
    return await Retention(shop.store, clock, KeepLimits(days, runs, megabytes)).sweep()


async def test_runs_go_when_they_are_old_and_unfinished_ones_stay(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    async with bench(tmp_path, clock=clock) as shop:
        await shop.run(chain(1), "old")
        await shop.start(workflow(a="gate"), "waits")
        clock.advance(2 * DAY_MS / 1000)
        await shop.run(chain(1), "young")
        assert await sweep(shop, clock, days=1) == 1
        assert kept(shop) == ["waits", "young"]
        assert await sweep(shop, clock) == 0, "0 keeps everything"


async def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    async with bench(tmp_path, clock=clock) as shop:
        for number in range(6):
            await shop.run(chain(1), f"run-{number}")
        assert await sweep(shop, clock, runs=4) == 2
        assert kept(shop) == ["run-2", "run-3", "run-4", "run-5"]


async def test_a_run_takes_what_it_started_with_it_once_all_of_it_has_ended(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    async with bench(tmp_path, clock=clock) as shop:
        await shop.run(chain(1), "parent")
        await shop.run(chain(1), "child", parent=ParentStep("parent", "n0"))
        await shop.start(workflow(a="gate"), "grandchild", parent=ParentStep("child", "n0"))
        assert await sweep(shop, clock, runs=1) == 0
        clock.advance(1)
        assert await sweep(shop, clock, days=0.000001) == 0, "the grandchild has not ended"
        shop.registry["gate"].open.set()
        await shop.runs.stop("grandchild", "me")
        clock.advance(1)
        assert await sweep(shop, clock, days=0.000001) == 1
        assert kept(shop) == []


async def test_large_payloads_are_given_back_when_the_journal_is_too_large(tmp_path: Path) -> None:
    clock = ManualClock(NOW)
    async with bench(tmp_path, clock=clock) as shop:
        for number in range(4):
            text = str(number) * 400_000
            await shop.run(chain(1), f"run-{number}", initial_payload=Payload({"text": text}))
        before = await shop.store.size()
        assert before > 1_500_000
        assert await sweep(shop, clock, megabytes=1) == 4, "a portion at a time"
        assert await shop.store.size() < 1_000_000
        assert not list((tmp_path / "blobs").glob("??/*"))
