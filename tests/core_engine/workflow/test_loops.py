"""Loops over items: each has a run of its own, a few at a time, counted, stopped and paused with the loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode, RunStatus
from tests.core_engine.workflow.household import Shelf, household, loop
from tests.core_engine.workflow.workshop import OWNER, Watcher, bench, eventually, workflow


async def kids(shop, run_id: str = "run-1", **more):
    return await shop.runs.listing(
        started_by=None, status=None, before=None, limit=500, parent=run_id, **more
    )


async def error_of(shop, run_id: str = "run-1") -> str:
    return (await shop.runs.details(run_id)).run.error_message or ""


async def test_each_item_has_a_linked_run_and_the_results_come_in_order(tmp_path: Path) -> None:
    async with bench(tmp_path, household()) as shop:
        await shop.run(
            loop("{{ data.names }}", parallel=3), initial_payload=Payload({"names": list("abcde")})
        )
        out = await shop.output("loop>z")
        assert out["results"] == [{"noted": name} for name in "abcde"]
        assert (out["count"], out["succeeded"], out["failed"], out["errors"]) == (5, 5, 0, [])
        runs = await kids(shop)
        assert [run.item for run in runs] == [0, 1, 2, 3, 4]
        assert {(run.parent_job_id, run.parent_node_id, run.origin) for run in runs} == {
            ("run-1", "loop", "child")
        }
        assert [run.item for run in await kids(shop, after_item=2)] == [3, 4]
        details = await shop.runs.details(runs[1].job_id)
        assert details.result == {"noted": "b"}
        assert len({key for _, key in shop.registry["note"].seen}) == 5


async def test_an_item_sees_itself_its_place_and_the_loops_input(tmp_path: Path) -> None:
    async with bench(tmp_path, household()) as shop:
        data = {"list": [7, 8], "who": "me"}
        await shop.run(loop("{{ data.list }}", "talk"), initial_payload=Payload(data))
        first, second = (await shop.output("loop>z"))["results"]
        assert first == {"item": 7, "index": 0, "count": 2, "input": data}
        assert second["index"] == 1


async def test_an_empty_list_succeeds_at_once(tmp_path: Path) -> None:
    async with bench(tmp_path, household()) as shop:
        watcher = await shop.run(loop([]))
        assert await watcher.end() == "SUCCEEDED"
        out = await shop.output("loop>z")
        assert (out["count"], out["results"]) == (0, [])


@pytest.mark.parametrize("parallel", [1, 3])
async def test_the_bound_of_parallel_runs_holds(tmp_path: Path, parallel: int) -> None:
    async with bench(tmp_path, household()) as shop:
        shop.registry["busy"].together = parallel
        await shop.run(loop(list(range(20)), "busy", parallel=parallel))
        assert shop.registry["busy"].most == parallel
        assert len(await kids(shop)) == 20


async def test_what_is_no_list_fails_the_step(tmp_path: Path) -> None:
    async with bench(tmp_path, household()) as shop:
        assert await (await shop.run(loop("{{ data.nothing }}"))).end() == "FAILED"
        assert "There are no items" in await error_of(shop)


async def test_the_first_failure_stops_the_loop(tmp_path: Path) -> None:
    registry = household()
    registry["note"].bad = {2}
    async with bench(tmp_path, registry) as shop:
        watcher = await shop.run(loop([0, 1, 2, 3, 4]))
        assert await watcher.end() == "FAILED"
        assert registry["note"].items == [0, 1, 2]
        assert "Item 2 of the loop failed" in await error_of(shop)
        assert "2 is bad" in await error_of(shop)


async def test_on_error_continue_runs_all_and_names_the_failed(tmp_path: Path) -> None:
    registry = household()
    registry["note"].bad = {1, 3}
    async with bench(tmp_path, registry) as shop:
        assert await (await shop.run(loop([0, 1, 2, 3], on_error="continue"))).end() == "SUCCEEDED"
        out = await shop.output("loop>z")
        assert (out["count"], out["succeeded"], out["failed"]) == (4, 2, 2)
        assert [error["index"] for error in out["errors"]] == [1, 3]
        assert out["results"] == [{"noted": 0}, {"noted": 2}]
        failed = shop.runs.summary(out["errors"][0]["job_id"])
        assert failed.status is RunStatus.FAILED


async def test_a_retried_loop_does_not_redo_what_ended_well_and_keeps_the_keys(tmp_path: Path) -> None:
    registry = household()
    registry["note"].bad = {2}
    async with bench(tmp_path, registry) as shop:
        again = {"retry": {"attempts": 2, "delay_seconds": 0.2}}
        watcher = await shop.start(loop([0, 1, 2, 3], more=again))
        await watcher.until(lambda frame: "retry_in_seconds" in frame)
        registry["note"].bad = set()
        assert await watcher.end() == "SUCCEEDED"
        assert registry["note"].items == [0, 1, 2, 2, 3]
        assert len({key for _, key in registry["note"].seen}) == 4
        assert (await shop.output("loop>z"))["results"] == [{"noted": number} for number in range(4)]


async def test_loops_stand_inside_loops(tmp_path: Path) -> None:
    data = workflow(
        "outer>z",
        outer={"module_id": "for_each", "config_values": {"items": [[1, 2], [3], []], "parallel": 2}},
        inner={"module_id": "for_each", "parentId": "outer", "config_values": {"items": "{{ data.item }}"}},
        x={"module_id": "note", "parent_id": "inner"}, z="talk",
    )  # fmt: skip
    async with bench(tmp_path, household()) as shop:
        assert await (await shop.run(data)).end() == "SUCCEEDED"
        results = (await shop.output("outer>z"))["results"]
        assert [[one["noted"] for one in each["results"]] for each in results] == [[1, 2], [3], []]
        assert shop.runs.open_runs == 0


async def test_a_break_ends_the_loop_after_its_item(tmp_path: Path) -> None:
    data = workflow(
        "loop>z", "test:yes>end",
        loop={"module_id": "for_each", "config_values": {"items": [["no"], ["yes"], ["no"]]}}, z="talk",
        test={"module_id": "branch", "parent_id": "loop", "config_values": {"ports": "{{ data.item }}"}},
        end={"module_id": "loop_break", "parent_id": "loop"},
    )  # fmt: skip
    async with bench(tmp_path, household()) as shop:
        assert await (await shop.run(data)).end() == "SUCCEEDED"
        out = await shop.output("loop>z")
        assert (out["count"], out["broken"]) == (2, True)


async def test_a_stop_reaches_every_run_of_the_family(tmp_path: Path) -> None:
    registry = household()
    data = workflow(
        outer={"module_id": "for_each", "config_values": {"items": [1, 2], "parallel": 2}},
        inner={"module_id": "for_each", "parent_id": "outer", "config_values": {"items": [1, 2], "parallel": 2}},
        x={"module_id": "gate", "parent_id": "inner"},
    )  # fmt: skip
    async with bench(tmp_path, registry) as shop:
        watcher = await shop.start(data)
        await eventually(lambda: len(registry["gate"].calls) == 4)
        await shop.runs.stop("run-1", OWNER)
        assert await watcher.end() == "STOPPED"
        await eventually(lambda: shop.runs.open_runs == 0)
        await eventually(lambda: registry["gate"].cancelled == 4)
        outer = await kids(shop)
        inner = [run for parent in outer for run in await kids(shop, parent.job_id)]
        assert {run.status for run in outer + inner} == {RunStatus.STOPPED}
        assert len(inner) == 4


async def test_a_pause_reaches_the_items_and_a_resume_too(tmp_path: Path) -> None:
    registry = household()
    data = loop([1, 2, 3], "gate")
    data["nodes"].append({"id": "y", "module_id": "note", "parent_id": "loop"})
    data["connections"].append({"id": "x>y", "source": "x", "target": "y"})
    async with bench(tmp_path, registry) as shop:
        watcher = await shop.start(data)
        await registry["gate"].arrived.wait()
        await shop.runs.pause("run-1", OWNER)
        (child,) = await kids(shop)
        assert child.status is RunStatus.PAUSED
        registry["gate"].open.set()
        await eventually(lambda: not shop.runs.busy)
        assert registry["note"].seen == []
        await shop.runs.resume("run-1", OWNER)
        assert await watcher.end() == "SUCCEEDED"
        assert len(await kids(shop)) == 3


async def test_simulation_reaches_the_items(tmp_path: Path) -> None:
    async with bench(tmp_path, household()) as shop:
        await shop.run(loop([1, 2]), mode=RunMode.SIMULATE)
        assert (await shop.output("loop>z"))["results"] == [{"simulated": 1}, {"simulated": 2}]
        assert shop.registry["note"].seen == []


async def test_progress_is_told_and_children_can_be_followed(tmp_path: Path) -> None:
    registry = household()
    async with bench(tmp_path, registry) as shop:
        await shop.start(loop(list(range(300)), "gate", parallel=20))
        await eventually(lambda: len(registry["gate"].calls) == 20)
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, 0, include_children=True)
        registry["gate"].open.set()
        await watcher.until(
            lambda frame: (
                frame["job_id"] == "run-1" and frame.get("status_data", {}).get("status") == "SUCCEEDED"
            )
        )
        progress = [frame for frame in watcher.of("LOOP_PROGRESS") if frame["job_id"] == "run-1"]
        assert 10 < len(progress) <= 100
        assert [frame["done"] for frame in progress] == sorted(frame["done"] for frame in progress)
        assert {frame["total"] for frame in progress} == {300}
        runs: dict[str, list[int]] = {}
        for frame in watcher.frames:
            runs.setdefault(frame["job_id"], []).append(frame["seq"])
        assert len(runs) == 301
        assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in runs.values())


async def test_children_do_not_count_against_the_open_runs(tmp_path: Path) -> None:
    async with bench(tmp_path, household(), max_open_runs=1) as shop:
        assert await (await shop.run(loop(list(range(10)), parallel=5))).end() == "SUCCEEDED"


async def test_a_while_loop_carries_its_result_on(tmp_path: Path) -> None:
    settings = {"left": "{{ data.n }}", "operator": "<", "right": 5}
    body = {"module_id": "pick", "parent_id": "loop"}
    data = workflow("loop>z", loop={"module_id": "while_loop", "config_values": settings}, x=body, z="talk")
    data["nodes"][1] |= {
        "module_id": "sub_workflow",
        "config_values": {"preset_name": "inc", "inputs": {"n": "{{ data.item.n }}"}},
    }
    async with bench(tmp_path, household(), presets=Shelf(inc=workflow(a="add"))) as shop:
        await shop.run(data, initial_payload=Payload({"n": 2}))
        out = await shop.output("loop>z")
        assert (out["rounds"], out["result"]["n"], out["capped"]) == (3, 5, False)
        await shop.run(data, "none", initial_payload=Payload({"n": 9}))
        assert await shop.output("loop>z", "none") == {
            "rounds": 0, "result": {"n": 9}, "capped": False, "broken": False,
        }  # fmt: skip
        data["nodes"][0]["config_values"]["max_rounds"] = 2
        await shop.run(data, "capped", initial_payload=Payload({"n": 0}))
        assert (await shop.output("loop>z", "capped"))["capped"] is True
