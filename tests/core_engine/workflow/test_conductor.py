"""Turns, the journal between them, and what happens when the disk does not play along."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core_engine.kernel.ports import StartRun
from core_engine.workflow import conductor
from core_engine.workflow.run import LiveRun
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.storage.test_store import FailingSync, perform
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


async def no_room(shop: Bench) -> None:
    (pages,) = shop.store.reads._connection.execute("PRAGMA page_count").fetchone()
    await perform(shop.store, f"PRAGMA max_page_count = {pages}")


async def room(shop: Bench) -> None:
    await perform(shop.store, "PRAGMA max_page_count = 1000000")


async def test_a_full_disk_refuses_new_runs_and_accepts_nothing_by_halves(tmp_path: Path):
    async with bench(tmp_path / "engine") as shop:
        await shop.run(chain(1), "before")
        await no_room(shop)
        watcher = Watcher()
        big = workflow(a={"module_id": "effect", "config_values": {"text": "x" * 50_000}})
        request = StartRun("run-1", big, OWNER)
        with pytest.raises(FloworkError) as caught:
            await shop.runs.start(request, watcher)
        assert caught.value.code is ErrorCode.STORAGE_FULL
        assert (shop.runs.open_runs, shop.registry["effect"].done, watcher.frames) == (0, [], [])
        with pytest.raises(FloworkError):
            shop.runs.summary("run-1")
        await room(shop)
        await shop.runs.start(request, watcher)
        assert await watcher.end() == "SUCCEEDED"
        assert shop.registry["effect"].done == ["run-1/a"]


async def test_a_run_waits_for_room_and_goes_on_by_itself(tmp_path: Path):
    async with bench(tmp_path / "engine") as shop:
        gate = shop.registry["gate"]
        talk = {"module_id": "talk", "config_values": {"lines": 2000}}
        watcher = await shop.start(workflow("a>t", "t>b", a="gate", t=talk, b="effect"))
        await gate.arrived.wait()
        await no_room(shop)
        gate.open.set()
        await eventually(lambda: shop.store.blocked)
        assert shop.registry["effect"].done == []
        assert watcher.statuses("a") == ["RUNNING"]
        with pytest.raises(FloworkError) as caught:
            await shop.runs.start(StartRun("run-2", chain(400), OWNER))
        assert caught.value.code is ErrorCode.STORAGE_FULL
        await room(shop)
        assert await watcher.end() == "SUCCEEDED"
        assert shop.registry["effect"].done == ["run-1/b"]
        assert watcher.seqs == list(range(1, len(watcher.frames) + 1))


async def test_nobody_waits_for_ever_on_a_disk_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(conductor, "_WATCH_EVERY", 0.05)
    async with bench(tmp_path / "engine") as shop:
        await shop.start(chain(1, "gate"))
        await no_room(shop)
        pause = asyncio.create_task(shop.runs.pause("run-1", "0x" + "c" * 200_000))
        with monkeypatch.context() as impatient:
            impatient.setattr(conductor, "_JOURNAL_PATIENCE", 0.1)
            with pytest.raises(FloworkError) as caught:
                await pause
        assert caught.value.code is ErrorCode.DEADLINE_EXCEEDED
        await room(shop)
        await shop.runs.resume("run-1", OWNER)
        assert shop.runs.summary("run-1").status is RunStatus.RUNNING


async def test_a_disk_that_cannot_sync_ends_the_engine(tmp_path: Path):
    shop = Bench(tmp_path / "engine", Registry())
    watcher = await shop.start(chain(1, "gate"))
    real = shop.store._writer._connection
    shop.store._writer._connection = FailingSync(real)
    shop.registry["gate"].open.set()
    with pytest.raises(FloworkError) as caught:
        await shop.runs.start(StartRun("run-2", chain(1), OWNER))
    assert caught.value.code is ErrorCode.INTERNAL
    assert [error.code for error in shop.fatal] == [ErrorCode.INTERNAL]
    assert not any(
        frame["status_data"]["status"] == "SUCCEEDED" for frame in watcher.of("workflow_status_update")
    )
    shop.store._writer._connection = real
    await shop.close()
    async with bench(tmp_path / "engine", shop.registry) as again:
        assert await again.runs.recover() == 1
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"


async def segments_of(shop: Bench, count: int) -> list[int]:
    """Start runs together, let them end, and return how many segments each one's journal has."""
    names = [f"run-{number}" for number in range(count)]
    watchers = await asyncio.gather(*(shop.start(chain(2), name) for name in names))
    assert [await watcher.end() for watcher in watchers] == ["SUCCEEDED"] * count
    journals = [shop.store.reads.journal(name) for name in names]
    return [len(journal.segments) for journal in journals if journal]


async def test_a_run_that_ends_in_its_first_turn_is_one_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(conductor, "_TURN_SECONDS", 0.0)  # one run a turn: the others wait for theirs
    async with bench(tmp_path / "engine") as shop:
        assert await segments_of(shop, 8) == [1] * 8


async def test_an_acceptance_waits_for_a_few_turns_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conductor, "_TURN_SECONDS", 0.0)
    monkeypatch.setattr(conductor, "_MOST_PUT_OFF", 3)
    async with bench(tmp_path / "engine") as shop:
        assert await segments_of(shop, 8) == [1, 1, 1, 1, 2, 2, 2, 2]


async def test_a_mistake_of_ours_ends_one_run_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    advance = LiveRun.advance

    def broken(self: LiveRun, deadline: float) -> bool:
        if self.id == "bad":
            raise RuntimeError("our mistake")
        return advance(self, deadline)

    monkeypatch.setattr(LiveRun, "advance", broken)
    async with bench(tmp_path / "engine") as shop:
        with pytest.raises(FloworkError) as caught:
            await shop.runs.start(StartRun("bad", chain(2), OWNER))
        assert caught.value.code is ErrorCode.INTERNAL
        watcher = await shop.run(chain(2), "good")
        assert await watcher.end() == "SUCCEEDED"
        assert "A run cannot go on." in caplog.text


async def test_what_is_given_up_here_cannot_be_steered_and_goes_on_at_the_next_start(tmp_path: Path):
    async with bench(tmp_path / "engine") as shop:
        await shop.start(workflow("a>b", a="gate", b="effect"))
        await shop.registry["gate"].arrived.wait()
        run = shop.runs._conductor.runs["run-1"]
        shop.runs._conductor._dismiss(run, FloworkError(ErrorCode.INTERNAL, "our mistake"))
        for order in (shop.runs.stop, shop.runs.pause, shop.runs.resume):
            with pytest.raises(FloworkError, match="not in memory") as refused:
                await order("run-1", OWNER)
            assert refused.value.code is ErrorCode.ENGINE_UNAVAILABLE
            assert refused.value.retry_after
    async with bench(tmp_path / "engine") as shop:
        shop.registry["gate"].open.set()
        assert await shop.runs.recover() == 1
        assert (await shop.runs.stop("run-1", OWNER))["status_data"]["status"] == "STOPPED"


async def test_steps_with_effects_start_after_their_start_is_synced(tmp_path: Path):
    order: list[str] = []
    async with bench(tmp_path / "engine") as shop:
        effect = shop.registry["effect"]
        execute = effect.execute

        def noted(context, config, payload):
            journal = shop.store.reads.journal("run-1")
            assert journal is not None
            order.append(b"".join(body for _, body in journal.segments).decode())
            return execute(context, config, payload)

        effect.execute = noted
        await shop.run(workflow("a>b", "b>c", "c>d", a="add", b="effect", c="add", d="effect"))
    first, second = order
    assert '["ran",2,' in first
    assert first.count('"started"') == 1
    assert '"finished"' not in first
    assert second.count('"started"') == 2
    assert '"finished"' in second
