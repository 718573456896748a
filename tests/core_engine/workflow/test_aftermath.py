"""Whoever waits for the ends of runs is told of each, also when the engine died in between."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core_engine.kernel.ports import EndedRun
from shared.contract.run import RunStatus
from tests.core_engine.workflow.workshop import Bench, Registry, bench, chain, eventually, workflow


class Heir:
    """Wants the ends of failed runs."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.heard: list[EndedRun] = []

    def wants_end(self, run: EndedRun) -> bool:
        return run.status is RunStatus.FAILED

    async def run_ended(self, run: EndedRun) -> None:
        self.heard.append(run)
        if self.fails:
            raise RuntimeError("the heir stumbles")


def unsettled(shop: Bench) -> list[str]:
    return [row.id for row in shop.store.reads.unsettled()]


async def test_a_listener_hears_of_the_ends_it_wants_and_of_no_other(tmp_path: Path) -> None:
    async with bench(tmp_path) as shop:
        heir = Heir()
        shop.runs.on_end(heir)
        await shop.runs.recover()
        await shop.run(chain(2), "good")
        await shop.run(workflow(a="fail"), "bad")
        await eventually(lambda: bool(heir.heard) and not unsettled(shop))
    assert [(run.run_id, run.origin, run.parent) for run in heir.heard] == [("bad", "command", None)]
    assert "it broke" in (heir.heard[0].error or "")


async def test_an_end_nobody_was_told_of_is_told_at_the_next_start(tmp_path: Path) -> None:
    first = Bench(tmp_path, Registry())
    first.runs.on_end(Heir())
    await first.run(workflow(a="fail"), "bad")  # `recover` was not called, so nothing tells of ends yet
    assert unsettled(first) == ["bad"]
    await first.close()
    async with bench(tmp_path) as shop:
        heir = Heir()
        shop.runs.on_end(heir)
        await shop.runs.recover()
        await eventually(lambda: not unsettled(shop))
    assert [run.run_id for run in heir.heard] == ["bad"]


async def test_an_end_whose_listener_failed_stays_unsettled_and_the_next_is_told(tmp_path: Path) -> None:
    async with bench(tmp_path) as shop:
        heir, other = Heir(fails=True), Heir()
        shop.runs.on_end(heir)
        shop.runs.on_end(other)
        await shop.runs.recover()
        await asyncio.gather(*(shop.run(workflow(a="fail"), name) for name in ("one", "two")))
        await eventually(lambda: len(other.heard) == 2)
        assert sorted(unsettled(shop)) == ["one", "two"]
