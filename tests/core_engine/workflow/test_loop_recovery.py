"""After a crash in the middle of a loop: finished items stay finished, missing ones start, strays are stopped."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.household import Shelf, household, loop
from tests.core_engine.workflow.test_loops import kids
from tests.core_engine.workflow.workshop import OWNER, Bench, Watcher, bench, eventually, workflow

NESTED = workflow(
    "outer>s", "s>z", "x>w",
    outer={"module_id": "for_each", "config_values": {"items": [["a", "b"], ["c"]], "parallel": 2}},
    inner={"module_id": "for_each", "parent_id": "outer", "config_values": {"items": "{{ data.item }}"}},
    x={"module_id": "note", "parent_id": "inner"}, w={"module_id": "talk", "parent_id": "inner"},
    s={"module_id": "sub_workflow", "config_values": {"preset_name": "sub", "inputs": {}}}, z="talk",
)  # fmt: skip
SHELF = Shelf(sub=workflow("a>b", a="talk", b="add"))


def copy_database(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    with sqlite3.connect(source / "engine.db") as live, sqlite3.connect(target / "engine.db") as copy:
        live.backup(copy)
    live.close()
    copy.close()


def photograph(shop: Bench, folder: Path, album: Path) -> list[Path]:
    """Copy the database after every transaction: each copy is what a crash at that moment would leave."""
    taken: list[Path] = []
    submit = shop.store.submit

    def watched(writes: Any, done: Any) -> None:
        def noted(written: Any, error: Any) -> None:
            taken.append(album / str(len(taken)))
            copy_database(folder, taken[-1])
            done(written, error)

        submit(writes, noted)

    shop.store.submit = watched  # type: ignore[method-assign]
    return taken


async def wait_for(shop: Bench, run_id: str = "run-1") -> str:
    watcher = Watcher()
    await shop.runs.subscribe(run_id, watcher, 0)
    assert watcher.seqs == list(range(1, len(watcher.seqs) + 1))
    return await watcher.end()


async def test_a_crash_after_any_write_changes_nothing_in_the_end(tmp_path: Path) -> None:
    registry = household()
    async with bench(tmp_path / "first", registry, presets=SHELF) as shop:
        pictures = photograph(shop, tmp_path / "first", tmp_path / "album")
        await shop.run(NESTED)
        expected = (await shop.output("outer>s"), await shop.output("s>z"), await shop.nodes())
        keys = dict(registry["note"].seen)
        rows = len(shop.store.reads.query("SELECT id FROM run"))
    assert len(pictures) > 12
    for folder in pictures:
        registry = household()
        async with bench(folder, registry, presets=SHELF) as again:
            await again.runs.recover()
            assert await wait_for(again) == "SUCCEEDED"
            found = (await again.output("outer>s"), await again.output("s>z"), await again.nodes())
            assert found == expected, folder
            assert dict(registry["note"].seen).items() <= keys.items()
            assert len(registry["note"].seen) == len(set(registry["note"].seen))
            await eventually(lambda shop=again: shop.runs.open_runs == 0)
            assert len(again.store.reads.query("SELECT id FROM run")) == rows


async def test_finished_items_are_counted_from_their_rows_and_not_run_again(tmp_path: Path) -> None:
    registry = household()
    shop = Bench(tmp_path / "first", registry)
    data = loop(list(range(6)), parallel=2)
    data["nodes"].append({"id": "y", "module_id": "gate", "parent_id": "loop"})
    data["connections"].append({"id": "x>y", "source": "x", "target": "y"})
    await shop.start(data)
    await eventually(lambda: len(registry["gate"].calls) == 2)
    copy_database(tmp_path / "first", tmp_path / "copy")
    await shop.close()
    after = household()
    after["gate"].open.set()
    async with bench(tmp_path / "copy", after) as again:
        assert await again.runs.recover() == 3
        assert await wait_for(again) == "SUCCEEDED"
        assert sorted(after["note"].items) == [2, 3, 4, 5]
        assert [run.item for run in await kids(again)] == list(range(6))


async def test_items_of_a_stopped_loop_are_stopped_also_when_the_crash_came_between(tmp_path: Path) -> None:
    registry = household()
    folder = tmp_path / "first"
    shop = Bench(folder, registry)
    await shop.start(loop([1, 2], "gate", parallel=2))
    await eventually(lambda: len(registry["gate"].calls) == 2)
    pictures = photograph(shop, folder, tmp_path / "album")
    await shop.runs.stop("run-1", OWNER)
    await eventually(lambda: shop.runs.open_runs == 0)
    await shop.close()
    for picture in pictures:
        after = household()
        async with bench(picture, after) as again:
            await again.runs.recover()
            await eventually(lambda shop=again: shop.runs.open_runs == 0)
            assert {run.status for run in await kids(again)} == {RunStatus.STOPPED}
            assert after["gate"].calls == []


@pytest.mark.parametrize("paused", [True, False])
async def test_a_pause_is_the_same_for_parent_and_items_after_a_crash(
    tmp_path: Path, *, paused: bool
) -> None:
    registry = household()
    folder = tmp_path / "first"
    shop = Bench(folder, registry)
    data = loop([1], "gate")
    await shop.start(data)
    await registry["gate"].arrived.wait()
    if not paused:
        await shop.runs.pause("run-1", OWNER)
    pictures = photograph(shop, folder, tmp_path / "album")
    await (shop.runs.pause("run-1", OWNER) if paused else shop.runs.resume("run-1", OWNER))
    await eventually(lambda: len(pictures) > 0)
    await shop.close()
    after = household()
    after["gate"].open.set()
    async with bench(pictures[0], after) as again:
        await again.runs.recover()
        if again.runs.summary("run-1").status is RunStatus.PAUSED:
            await eventually(
                lambda: again.store.reads.query("SELECT 1 FROM run WHERE status='PAUSED' AND item=0")
            )
            await again.runs.resume("run-1", OWNER)
        assert await wait_for(again) == "SUCCEEDED"


async def test_a_detached_run_is_started_once_and_outlives_its_parent(tmp_path: Path) -> None:
    data = workflow(
        "call>z", z="talk",
        call={"module_id": "sub_workflow", "config_values": {"preset_name": "sub", "wait": False, "inputs": {}}},
    )  # fmt: skip
    shelf = Shelf(sub=workflow(a="gate"))
    async with bench(tmp_path / "first", household(), presets=shelf) as shop:
        pictures = photograph(shop, tmp_path / "first", tmp_path / "album")
        await shop.run(data)
    for picture in pictures:
        after = household()
        after["gate"].open.set()
        async with bench(picture, after, presets=shelf) as again:
            await again.runs.recover()
            assert await wait_for(again) == "SUCCEEDED"
            job = (await again.output("call>z"))["job_id"]
            assert await wait_for(again, job) == "SUCCEEDED"
            assert again.store.reads.query("SELECT count(*) FROM run") == [(2,)]


async def test_a_break_is_found_again_after_a_crash(tmp_path: Path) -> None:
    data = workflow(
        "test:yes>end",
        loop={"module_id": "for_each", "config_values": {"items": [["no"], ["yes"], ["no"]]}},
        test={"module_id": "branch", "parent_id": "loop", "config_values": {"ports": "{{ data.item }}"}},
        end={"module_id": "loop_break", "parent_id": "loop"},
    )  # fmt: skip
    async with bench(tmp_path / "first", household()) as shop:
        pictures = photograph(shop, tmp_path / "first", tmp_path / "album")
        await shop.run(data)
    for picture in pictures:
        async with bench(picture, household()) as again:
            await again.runs.recover()
            assert await wait_for(again) == "SUCCEEDED"
            assert [run.item for run in await kids(again)] == [0, 1]


async def test_a_disk_that_was_full_for_a_while_loses_no_item(tmp_path: Path) -> None:
    async with bench(tmp_path / "first", household()) as shop:
        submit, refused = shop.store.submit, []

        def sometimes_full(writes: Any, done: Any) -> None:
            new = [write for write in writes if write.refusable and write.run.item == 1 and not refused]
            refused.extend(new)
            if new:
                done(new, FloworkError(ErrorCode.STORAGE_FULL, "no room"))
            rest = [write for write in writes if write not in new]
            if rest:
                submit(rest, done)

        shop.store.submit = sometimes_full  # type: ignore[method-assign]
        assert await (await shop.run(loop([0, 1, 2], parallel=3))).end() == "SUCCEEDED"
        assert len(refused) == 1
        assert (await shop.output("loop>z"))["results"] == [{"noted": number} for number in range(3)]
