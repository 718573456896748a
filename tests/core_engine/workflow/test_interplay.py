"""Features that meet: loops in rounds, breakpoints at joins, pins in loops, deadlines and pauses over children."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from core_engine.components.builtin.wait_until.component import WaitUntil
from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import EndedRun, Rerun
from core_engine.workflow import records as r
from core_engine.workflow.aids import Pin, aids_option
from shared.contract.run import RunStatus
from tests.core_engine.workflow.household import Shelf, household, loop
from tests.core_engine.workflow.test_recovery import load
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, Watcher, bench, eventually, workflow

ROUNDS = {"isEnabled": True, "iterations": 2}
CALL = {"module_id": "sub_workflow", "config_values": {"preset_name": "sub"}}


def rounds(data: dict[str, Any], count: int = 2) -> dict[str, Any]:
    return data | {"global_loop_config": ROUNDS | {"iterations": count}}


async def children(shop: Bench, run_id: str = "run-1") -> list[tuple[str, int, str]]:
    rows = await shop.runs.listing(started_by=None, status=None, before=None, limit=100, parent=run_id)
    return [(row.parent_node_id or "", row.item or 0, row.status.value) for row in rows]


async def redo(shop: Bench, **wish: Any) -> Watcher:
    request = await shop.runs.rerun_request(Rerun(run_id="run-1", new_run_id="again", by=OWNER, **wish))
    watcher = Watcher()
    await shop.runs.start(request, watcher)
    await watcher.end()
    return watcher


async def test_a_for_each_that_loops_runs_its_items_anew_in_each_iteration(tmp_path: Path):
    parts = household()
    async with bench(tmp_path, parts) as shop:
        watcher = await shop.run(loop([1, 2, 3], enable_loop=True, iterations=2))
        assert await watcher.end() == "SUCCEEDED"
        assert parts["note"].items == [1, 2, 3, 1, 2, 3]
        assert len({key for _, key in parts["note"].seen}) == 6
        assert Counter(await children(shop)) == {("loop", item, "SUCCEEDED"): 2 for item in range(3)}
        assert (await shop.output("loop>z"))["results"] == [{"noted": item} for item in (1, 2, 3)]
        assert [x.iteration for x in load(shop).records if isinstance(x, r.StepLooped)] == [0]


async def test_rounds_start_their_items_and_sub_workflows_anew(tmp_path: Path):
    parts = household()
    data = loop([1, 2])
    data["nodes"].append({"id": "call", "name": "CALL", **CALL})
    async with bench(tmp_path, parts, presets=Shelf(sub=workflow(a="effect"))) as shop:
        assert await (await shop.run(rounds(data))).end() == "SUCCEEDED"
        assert parts["note"].items == [1, 2, 1, 2]
        assert len({key for _, key in parts["note"].seen}) == 4
        assert len(set(parts["effect"].done)) == 2
        found = Counter(await children(shop))
        assert found == {
            ("loop", 0, "SUCCEEDED"): 2,
            ("loop", 1, "SUCCEEDED"): 2,
            ("call", 0, "SUCCEEDED"): 2,
        }


async def test_a_round_is_done_again_after_a_crash_without_a_second_effect(tmp_path: Path):
    parts = household()
    async with bench(tmp_path, parts, presets=Shelf(sub=workflow(a="note", b="gate"))) as shop:
        data = rounds(workflow("call>z", call=CALL, z="talk"))
        await shop.start(data, initial_payload=Payload({"item": 1}))
        await parts["gate"].arrived.wait()
    parts["gate"].open.set()
    async with bench(tmp_path, parts, presets=Shelf(sub=workflow(a="note", b="gate"))) as shop:
        assert await shop.runs.recover() == 2
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, 0)
        await watcher.end()
        assert shop.runs.summary("run-1").status is RunStatus.FAILED, "round 2 is given nothing to note"
        assert [item for item, _ in parts["note"].seen] == [1]


async def test_a_join_that_times_out_goes_without_what_is_held_at_a_breakpoint(tmp_path: Path):
    rule = {"mode": "all", "timeout_seconds": 0.05, "on_timeout": "continue"}
    data = workflow("a>j", "b>j", a="add", b="add", j={"module_id": "add", "join": rule})
    async with bench(tmp_path) as shop:
        watcher = await shop.start(rounds(data), options=aids_option({}, ["a>j"]))
        assert await watcher.end() == "SUCCEEDED"
        assert (await shop.runs.details("run-1")).at_breakpoints == []
        hits = [x for x in load(shop).records if isinstance(x, r.BreakpointHit)]
        assert len(hits) == 2, "once in each round"
        assert [x.node for x in load(shop).records if isinstance(x, r.JoinExpired)] == [2, 2]


async def test_what_a_round_left_at_a_breakpoint_is_not_there_in_the_next(tmp_path: Path):
    data = workflow("a>j", "b>j", a="add", b="gate", j={"module_id": "add", "join": "any"})
    parts = Registry()
    async with bench(tmp_path, parts) as shop:
        watcher = await shop.start(rounds(data, 3), options=aids_option({}, ["a>j"]))
        await watcher.until(lambda f: f["type"] == "BREAKPOINT_HIT")
        parts["gate"].open.set()
        assert await watcher.end() == "SUCCEEDED"
        starts = [x.node for x in load(shop).records if isinstance(x, r.StepRan)]
        assert Counter(starts) == {0: 3, 2: 3}


async def test_pins_hold_for_looping_nodes_and_in_every_round(tmp_path: Path):
    lap = {"module_id": "effect", "config_values": {"enable_loop": True, "iterations": 3}}
    pins = {"a": Pin({"success": {"n": 5}}), "loop": Pin({"success": {"results": ["pinned"]}})}
    data = loop([1, 2])
    data["nodes"] += workflow(a=lap, b="add")["nodes"]
    data["connections"].append({"id": "a>b", "source": "a", "target": "b"})
    parts = household()
    async with bench(tmp_path, parts) as shop:
        assert await (await shop.run(rounds(data), options=aids_option(pins, ()))).end() == "SUCCEEDED"
        assert parts["effect"].done == []
        assert parts["note"].items == []
        assert await children(shop) == []
        assert (await shop.output("a>b"))["n"] == 5
        assert len([x for x in load(shop).records if isinstance(x, r.StepSeeded)]) == 4


async def test_a_run_with_rounds_items_and_a_final_part_is_done_again(tmp_path: Path):
    data = loop([1, 2])
    data["nodes"].append(
        {"id": "fin", "name": "FIN", "module_id": "effect", "finally": True, "config_values": {}}
    )
    parts = household()
    async with bench(tmp_path, parts) as shop:
        assert await (await shop.run(rounds(data))).end() == "SUCCEEDED"
        assert await (await redo(shop)).end() == "SUCCEEDED"
        assert parts["note"].items == [1, 2] * 4
        assert len({key for _, key in parts["note"].seen}) == 8
        assert parts["effect"].done == ["run-1/fin", "again/fin"]
        assert len(await children(shop, "again")) == 4


async def test_only_what_failed_is_done_again_with_its_final_part(tmp_path: Path):
    data = loop([1, 2], more={"retry": {"attempts": 1}})
    data["nodes"] += workflow(first="effect")["nodes"]
    data["nodes"].append(
        {"id": "fin", "name": "FIN", "module_id": "effect", "finally": True, "config_values": {}}
    )
    data["connections"].append({"id": "first>loop", "source": "first", "target": "loop"})
    parts = household()
    parts["note"].bad.add(2)
    async with bench(tmp_path, parts) as shop:
        assert await (await shop.run(data)).end() == "FAILED"
        parts["note"].bad.clear()
        assert await (await redo(shop, from_failed=True)).end() == "SUCCEEDED"
        assert sorted(parts["effect"].done) == ["again/fin", "run-1/fin", "run-1/first"]
        assert (await shop.output("loop>z", "again"))["results"] == [{"noted": 1}, {"noted": 2}]


async def test_a_deadline_ends_the_children_too_and_the_final_part_runs(tmp_path: Path):
    data = loop([1, 2, 3], "gate", parallel=2)
    data["nodes"].append(
        {"id": "fin", "name": "FIN", "module_id": "effect", "finally": True, "config_values": {}}
    )
    data["settings"] = {"flow": {"deadline_seconds": 0.3}}
    parts = household()
    async with bench(tmp_path, parts) as shop:
        watcher = await shop.start(data)
        assert await watcher.end() == "FAILED"
        await eventually(lambda: shop.runs.open_runs == 0)
        assert "DEADLINE_EXCEEDED" in (shop.runs.summary("run-1").error_message or "")
        assert {status for _, _, status in await children(shop)} == {"STOPPED"}
        assert parts["effect"].done == ["run-1/fin"]


async def test_a_pause_holds_children_and_naps_and_a_resume_lets_them_go_on(tmp_path: Path):
    nap = {"enable_sleep": True, "sleep_type": "static", "static_duration": 0.05}
    body = {"module_id": "effect", "config_values": {"enable_loop": True, "iterations": 3, **nap}}
    parts = household()
    async with bench(tmp_path, parts, presets=Shelf(sub=workflow(a=body))) as shop:
        watcher = await shop.start(workflow("call>z", call=CALL, z="talk"))
        await eventually(lambda: len(parts["effect"].done) == 1)
        await shop.runs.pause("run-1", OWNER)
        (child,) = await shop.runs.listing(started_by=None, status=None, before=None, limit=2, parent="run-1")
        await eventually(lambda: shop.runs.summary(child.job_id).status is RunStatus.PAUSED)
        before = len(parts["effect"].done)
    async with bench(tmp_path, parts, presets=Shelf(sub=workflow(a=body))) as shop:
        assert await shop.runs.recover() == 2
        assert [status for *_, status in await children(shop)] == ["PAUSED"]
        assert len(parts["effect"].done) == before
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, 0)
        await shop.runs.resume("run-1", OWNER)
        assert await watcher.end() == "SUCCEEDED"
        assert len(parts["effect"].done) == 3


class Ends:
    """Wants every end, and keeps it."""

    def __init__(self) -> None:
        self.heard: list[EndedRun] = []

    def wants_end(self, run: EndedRun) -> bool:
        return True

    async def run_ended(self, run: EndedRun) -> None:
        self.heard.append(run)


async def test_a_failed_parent_is_told_of_after_its_children_and_once(tmp_path: Path):
    parts, ends = household(), Ends()
    parts["note"].bad.add(2)
    async with bench(tmp_path, parts) as shop:
        shop.runs.on_end(ends)
        await shop.runs.recover()
        assert await (await shop.run(loop([1, 2]))).end() == "FAILED"
        await eventually(lambda: len(ends.heard) == 3)
        assert [(x.run_id == "run-1", x.status.value) for x in ends.heard] == [
            (False, "SUCCEEDED"), (False, "FAILED"), (True, "FAILED"),
        ]  # fmt: skip
        failure = await shop.runs.failure("run-1")
        assert [node["node_id"] for node in failure.failed_nodes] == ["loop"]


async def test_retention_keeps_a_run_while_one_it_left_behind_goes_on(tmp_path: Path):
    parts = household()
    call = {**CALL, "config_values": {"preset_name": "sub", "wait": False}}
    async with bench(tmp_path, parts, presets=Shelf(sub=workflow(a="gate"))) as shop:
        await shop.run(workflow("call>z", call=call, z="talk"))
        assert await shop.store.delete_runs(2**62) == 0
        parts["gate"].open.set()
        await eventually(lambda: shop.runs.open_runs == 0)
        assert await shop.store.delete_runs(2**62) == 1
        assert shop.store.reads.query("SELECT count(*) FROM run") == [(0,)]


async def test_a_wait_in_the_final_part_of_rounds_survives_a_restart(tmp_path: Path):
    data = rounds(workflow(a="effect"))
    data["nodes"].append(
        {
            "id": "fin",
            "name": "FIN",
            "module_id": "wait_until",
            "finally": True,
            "config_values": {"seconds": 0.3},
        }
    )
    parts = Registry([WaitUntil()])
    async with bench(tmp_path, parts) as shop:
        watcher = await shop.start(data)
        await watcher.until(lambda f: f.get("node_id") == "fin" and f["type"] == "log")
    async with bench(tmp_path, parts) as shop:
        assert await shop.runs.recover() == 1
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
        assert len(parts["effect"].done) == 2
