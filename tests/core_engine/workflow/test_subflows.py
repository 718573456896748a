"""Saved workflows as steps: waited for or not, with typed inputs, and never without end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import StartRun
from core_engine.storage.presets import PresetTable
from core_engine.workflow import brood
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.household import Shelf, household, loop
from tests.core_engine.workflow.test_loops import error_of, kids
from tests.core_engine.workflow.workshop import OWNER, bench, eventually, workflow

INPUTS = [
    {"name": "city", "type": "string", "required": True},
    {"name": "days", "type": "integer", "default": 3},
    {"name": "tags", "type": "array"},
]


def call(name: str = "sub", **config: Any) -> dict[str, Any]:
    settings = {"module_id": "sub_workflow", "config_values": {"preset_name": name, **config}}
    return workflow("call>z", call=settings, z="talk")


async def test_a_sub_workflow_gives_its_result_and_is_linked(tmp_path: Path) -> None:
    async with bench(tmp_path, household(), presets=Shelf(sub=workflow("a>b", a="add", b="add"))) as shop:
        await shop.run(call(inputs={"n": "{{ data.start }}"}), initial_payload=Payload({"start": 40}))
        assert (await shop.output("call>z"))["n"] == 42
        (run,) = await kids(shop)
        assert (run.preset_name, run.parent_node_id, run.item) == ("sub", "call", 0)


async def test_without_waiting_the_job_id_comes_at_once_and_the_run_lives_on(tmp_path: Path) -> None:
    registry = household()
    async with bench(tmp_path, registry, presets=Shelf(sub=workflow(a="gate"))) as shop:
        watcher = await shop.run(call(wait=False))
        assert await watcher.end() == "SUCCEEDED"
        job = (await shop.output("call>z"))["job_id"]
        assert shop.runs.summary(job).status is RunStatus.RUNNING
        assert PresetTable(shop.store).unfinished_run("sub") == job
        registry["gate"].open.set()
        await eventually(lambda: shop.runs.open_runs == 0)
        assert shop.runs.summary(job).status is RunStatus.SUCCEEDED


async def test_a_run_that_is_not_waited_for_and_finds_no_room_fails_its_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the simulation: the run that wants room may itself be what takes it, so it must not wait for ever."""
    monkeypatch.setattr(brood, "_PATIENCE", 0.01)
    monkeypatch.setattr(brood, "_ROOM_PATIENCE", 0.05)
    presets = Shelf(sub=workflow(a="add"))
    async with bench(tmp_path, household(), presets=presets, max_open_runs=1) as shop:
        assert await (await shop.run(call(wait=False))).end() == "FAILED"
        assert "too many unfinished runs" in await error_of(shop)


async def test_a_failed_sub_workflow_fails_the_step_with_its_error(tmp_path: Path) -> None:
    async with bench(tmp_path, household(), presets=Shelf(sub=workflow(a="fail"))) as shop:
        assert await (await shop.run(call())).end() == "FAILED"
        assert "it broke" in await error_of(shop)
        await shop.run(call("none"), "run-2")
        assert "There is no preset 'none'" in await error_of(shop, "run-2")


async def test_inputs_are_checked_and_filled_at_every_start(tmp_path: Path) -> None:
    typed = workflow(a="talk") | {"inputs": INPUTS}
    async with bench(tmp_path, household(), presets=Shelf(sub=typed)) as shop:
        await shop.run(call(inputs={"city": "Bonn"}))
        assert await shop.output("call>z") == {"city": "Bonn", "days": 3}
        await shop.run(call(inputs={"days": "many"}), "run-2")
        error = await error_of(shop, "run-2")
        assert "The input city is missing" in error
        assert "days must be an integer, not a string" in error
        wrong = Payload({"city": 1, "tags": {}})
        with pytest.raises(FloworkError) as caught:
            await shop.runs.start(StartRun("run-3", typed, OWNER, wrong))
        assert caught.value.code is ErrorCode.INVALID_REQUEST
        assert [item["field"] for item in caught.value.details or ()] == [
            "initial_payload.data.city", "initial_payload.data.tags",
        ]  # fmt: skip
        with pytest.raises(FloworkError, match="must be an object"):
            await shop.runs.start(StartRun("run-4", typed, OWNER, Payload([1])))


async def test_wrong_inputs_of_items_fail_only_those(tmp_path: Path) -> None:
    typed = workflow(a="talk") | {"inputs": [{"name": "item", "type": "integer", "required": True}]}
    data = loop([1, "two", 3], preset_name="sub", on_error="continue")
    data["nodes"].pop(1)
    async with bench(tmp_path, household(), presets=Shelf(sub=typed)) as shop:
        assert await (await shop.run(data)).end() == "SUCCEEDED"
        out = await shop.output("loop>z")
        assert (out["succeeded"], out["failed"]) == (2, 1)
        assert out["errors"][0]["job_id"] is None
        assert [one["item"] for one in out["results"]] == [1, 3]


async def test_a_workflow_that_calls_itself_ends_at_the_depth_limit(tmp_path: Path) -> None:
    async with bench(tmp_path, household(), presets=Shelf(sub=call())) as shop:
        watcher = await shop.run(call())
        assert await watcher.end() == "FAILED"
        assert "more than 16 deep" in str([row[0] for row in shop.store.reads.query("SELECT error FROM run")])
        assert len(shop.store.reads.query("SELECT id FROM run")) == 17


async def test_a_loop_keeps_the_version_it_began_with(tmp_path: Path) -> None:
    registry = household()
    registry["gate"].open.set()
    shelf = Shelf(sub=workflow("g>a", g="gate", a={"module_id": "add", "config_values": {"amount": 1}}))
    settings = {
        "left": "{{ length(keys(data)) }}",
        "operator": "<",
        "right": 9,
        "max_rounds": 3,
        "preset_name": "sub",
    }
    data = workflow(loop={"module_id": "while_loop", "config_values": settings})
    async with bench(tmp_path, registry, presets=shelf) as shop:
        registry["gate"].open.clear()
        watcher = await shop.start(data)
        await registry["gate"].arrived.wait()
        shelf.saved["sub"], shelf.version = workflow(a="fail"), 2
        registry["gate"].open.set()
        assert await watcher.end() == "SUCCEEDED"
        runs = await kids(shop)
        assert len(runs) == 3
        assert len({run.workflow_hash for run in runs}) == 1


async def test_a_run_gives_what_its_last_steps_give(tmp_path: Path) -> None:
    async with bench(tmp_path, household()) as shop:
        await shop.run(
            workflow("s>a", "s>b", s="talk", a="add", b="branch"), initial_payload=Payload({"n": 1})
        )
        assert (await shop.runs.details("run-1")).result == {"n": 1, "label": "", "port": "yes"}
        await shop.run(workflow(a="fail"), "bad")
        assert (await shop.runs.details("bad")).result_bytes is None
        large = Payload({"text": "x" * 100_000})
        await shop.run(workflow("a>b", "a>c", a="talk", b="talk", c="add"), "large", initial_payload=large)
        details = await shop.runs.details("large")
        assert details.result is None
        assert (details.result_bytes or 0) > 100_000


async def test_retention_keeps_children_as_long_as_their_parent(tmp_path: Path) -> None:
    registry = household()
    async with bench(tmp_path, registry) as shop:
        watcher = await shop.start(loop([1, 2, 3], "gate"))
        registry["gate"].open.set()
        await watcher.end()
        registry["gate"].open.clear()
        registry["gate"].calls.clear()
        open_one = await shop.start(loop([1, 2], "gate"), "run-2")
        await eventually(lambda: len(registry["gate"].calls) == 1)
        registry["gate"].open.set()
        await eventually(lambda: len(registry["gate"].calls) == 2)
        await open_one.end()
        assert await shop.store.delete_runs(2**60) == 2, "two runs, each with those it started"
        assert shop.store.reads.query("SELECT id FROM run") == []


async def test_children_of_an_unfinished_parent_are_not_deleted(tmp_path: Path) -> None:
    registry = household()
    data = workflow("loop>g", loop={"module_id": "for_each", "config_values": {"items": [1, 2]}}, g="gate")
    data["nodes"].append({"id": "x", "module_id": "note", "parent_id": "loop"})
    async with bench(tmp_path, registry) as shop:
        await shop.start(data)
        await registry["gate"].arrived.wait()
        assert await shop.store.delete_runs(2**60) == 0
        assert len(await kids(shop)) == 2
