"""Steps that wait for events: by name and correlation, by their token, over restarts, each ended once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.builtin.wait_for_event.component import WaitForEvent
from core_engine.kernel.payload import Payload
from core_engine.kernel.suspension import AwaitedEvent, Suspend
from core_engine.workflow import records as r
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.test_parking import parked
from tests.core_engine.workflow.test_recovery import load, put
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, Watcher, bench, eventually, workflow


def parts() -> Registry:
    return Registry([WaitForEvent()])


def wait(name: str = "paid", **config: Any) -> dict[str, Any]:
    step = {"module_id": "wait_for_event", "config_values": {"event_name": name, **config}}
    return workflow("w>c", "w:timeout>t", w=step, c="effect", t="talk")


async def token(shop: Bench, run_id: str = "run-1") -> str:
    """Return the token of a run that waits."""
    found: list[str] = []

    async def look() -> bool:
        details = await shop.runs.details(run_id)
        found[:] = [node.waiting.token for node in details.nodes if node.waiting and node.waiting.token]
        return bool(found)

    async with asyncio.timeout(20):
        while not await look():  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.005)
    return found[0]


def rows(shop: Bench) -> int:
    return int(shop.store.reads.query("SELECT count(*) FROM event_wait")[0][0])


@pytest.mark.parametrize("park_after", [0.0, 100.0])
async def test_an_event_ends_the_waits_it_fits_and_its_data_goes_on(tmp_path: Path, park_after: float):
    async with bench(tmp_path, parts(), park_after=park_after) as shop:
        for run_id, config in (("any", {}), ("seven", {"correlation": 7}), ("eight", {"correlation": "8"})):
            await shop.start(wait(**config), run_id)
            await token(shop, run_id)
        await shop.start(wait("other"), "other")
        await token(shop, "other")
        if park_after == 0.0:
            await parked(shop, 4)
        assert await shop.runs.publish_event("paid", "7", {"sum": 5}) == 2
        await eventually(lambda: shop.runs.open_runs == 2)
        assert await shop.output("w>c", "seven") == await shop.output("w>c", "any") == {"sum": 5}
        assert await shop.runs.publish_event("paid", "7", {"sum": 6}) == 0
        assert rows(shop) == 2


async def test_the_token_ends_one_wait_once_and_any_other_is_unknown(tmp_path: Path):
    async with bench(tmp_path, parts(), park_after=0.0) as shop:
        watcher = await shop.start(wait(""))
        mine = await token(shop)
        assert len(mine) >= 43
        details = await shop.runs.details("run-1")
        assert details.nodes[0].waiting is not None
        assert details.nodes[0].waiting.signal == "event"
        results = await asyncio.gather(
            *(shop.runs.resume_wait(mine, [1, 2]) for _ in range(3)), return_exceptions=True
        )
        assert results.count("run-1") == 1
        assert await watcher.end() == "SUCCEEDED"
        assert await shop.output("w>c") == [1, 2]
        assert len([x for x in load(shop).records if isinstance(x, r.StepResumed)]) == 1
        for wrong in (mine, "x" * 43, ""):
            with pytest.raises(FloworkError) as caught:
                await shop.runs.resume_wait(wrong, {})
            assert caught.value.code is ErrorCode.NOT_FOUND


async def test_a_time_out_and_a_stop_end_it_too(tmp_path: Path):
    async with bench(tmp_path, parts()) as shop:
        watcher = await shop.start(wait(timeout_seconds=0.05), initial_payload=Payload({"mine": 1}))
        assert await watcher.end() == "SUCCEEDED"
        assert await shop.output("w:timeout>t") == {"mine": 1}
        await shop.start(wait(), "stopped")
        mine = await token(shop, "stopped")
        await shop.runs.stop("stopped", OWNER)
        assert rows(shop) == 0
        with pytest.raises(FloworkError, match="Nothing waits"):
            await shop.runs.resume_wait(mine, {})


async def test_it_is_told_and_shown_only_on_demand_and_simulated_without_waiting(tmp_path: Path):
    async with bench(tmp_path, parts()) as shop:
        quiet = await shop.start(wait(), "quiet")
        assert await token(shop, "quiet") not in str(quiet.frames)
        for how, kind in (("log", "log"), ("popup", "SHOW_DEBUG_POPUP")):
            watcher = await shop.start(wait(show_address=how), how)
            mine = await token(shop, how)
            assert mine in str(watcher.of(kind))
        watcher = await shop.run(
            wait(), "simulated", mode=RunMode.SIMULATE, initial_payload=Payload({"n": 1})
        )
        assert await shop.output("w>c", "simulated") == {"n": 1}


async def test_cut_at_every_record_the_event_is_taken_once(tmp_path: Path):
    large = {"text": "x" * 100_000}
    async with bench(tmp_path / "first", parts()) as shop:
        watcher = await shop.start(wait())
        mine = await token(shop)
        await shop.runs.resume_wait(mine, {"n": 1})
        assert await watcher.end() == "SUCCEEDED"
        whole = load(shop)
        await shop.start(wait(), "large")
        await shop.runs.resume_wait(await token(shop, "large"), large)
        await eventually(lambda: shop.runs.open_runs == 0)
        assert await shop.output("w>c", "large") == large
    for cut in range(1, len(whole.records) + 1):
        waits = [x for x in whole.records[:cut] if isinstance(x, r.StepSuspended)]
        folder = tmp_path / f"cut-{cut}"
        await put(folder, whole, whole.records[:cut], parts())
        async with bench(folder, parts()) as shop:
            await shop.runs.recover()
            answered = any(isinstance(x, r.StepResumed) for x in whole.records[:cut])
            if not answered:
                again = await token(shop)
                assert not waits or again == mine, "a wait keeps its token"
                if waits:  # its row is written with the record, which `put` does not know
                    assert shop.runs._conductor.runs["run-1"].take_event("w", waits[0].wait_id, {"n": 1})
                else:
                    assert await shop.runs.resume_wait(again, {"n": 1}) == "run-1"
            last = Watcher()
            await shop.runs.subscribe("run-1", last, 0)
            status = await last.end()
            cut_off = any(isinstance(x, r.StepUnknown) for x in load(shop).records)
            assert status == ("FAILED" if cut_off else "SUCCEEDED")
            assert len([x for x in load(shop).records if isinstance(x, r.StepResumed)]) == 1
            assert await shop.output("w>c") == {"n": 1}


def test_a_token_that_could_be_guessed_and_two_signals_are_refused():
    with pytest.raises(ValueError, match="long random"):
        AwaitedEvent("a", "", "short")
    with pytest.raises(ValueError, match="no other signal"):
        Suspend(event=AwaitedEvent("a", "", "t" * 43), signal="approval")
