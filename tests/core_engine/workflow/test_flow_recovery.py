"""Cut at any record, a run with loops, rounds, joins, a final part and alarms still comes to the same end."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.component import Component, Config
from core_engine.kernel.payload import Result
from core_engine.kernel.suspension import Suspend
from core_engine.workflow import records as r
from tests.core_engine.workflow.test_recovery import RESULTS, load, opened, put
from tests.core_engine.workflow.workshop import OWNER, Registry, Watcher, bench, workflow

FINAL = {"module_id": "add", "finally": True}


class Moment(Component[Config]):
    """Waits for a moment."""

    id = "moment"
    name = "Moment"
    description = "Waits."
    category = "test"

    def execute(self, context, config, payload):
        return Suspend(after_ms=100)

    def resume(self, context, config, payload, answer):
        return Result({"success": payload})


def known() -> Registry:
    registry = opened()
    registry.components["moment"] = Moment()
    return registry


def everything() -> dict[str, Any]:
    lap = {"enable_loop": True, "iterations": 3}
    data = workflow(
        "a>k", "k>j", "m>j", "j>z", "c>y",
        a={"module_id": "add", "config_values": lap},
        k={"module_id": "keyed_gate", "config_values": lap | {"enable_sleep": True, "static_duration": 0.002}},
        m="moment", j={"module_id": "add", "join": {"timeout_seconds": 0.01}}, z="talk",
        c={"module_id": "branch"}, y={"module_id": "add", "join": {"run": "always"}},
        f=FINAL, g={"module_id": "keyed_gate", "finally": True},
    )  # fmt: skip
    data["connections"].append({"id": "f>g", "source": "f", "target": "g"})
    loop = {"isEnabled": True, "iterations": 2, "isDelayEnabled": True, "delayStatic": 0.002}
    flow = {"alarm_after_seconds": 0.005, "deadline_seconds": 600}
    return data | {"global_loop_config": loop, "settings": {"flow": flow}}


def ends(records: list[Any]) -> Counter[tuple[int, int]]:
    """Count the ends of each node, round by round."""
    number, found = 0, Counter[tuple[int, int]]()
    for record in records:
        if isinstance(record, r.RoundStarted):
            number = record.number
        elif isinstance(record, RESULTS) or (isinstance(record, r.StepFailed) and record.retry_at is None):
            found[number, record.node] += 1
    return found


def loops(records: list[Any]) -> Counter[tuple[int, int, int]]:
    number, found = 0, Counter[tuple[int, int, int]]()
    for record in records:
        if isinstance(record, r.RoundStarted):
            number = record.number
        elif isinstance(record, r.StepLooped):
            found[number, record.node, record.iteration] += 1
    return found


async def cut_everywhere(tmp_path: Path, run_id: str, status: str, wanted: set[type[Any]]) -> None:
    """Cut the finished run in ``tmp_path / "first"`` at every record, and compare what comes of it."""
    async with bench(tmp_path / "first", known()) as shop:
        whole = load(shop, run_id)
        expected = await shop.nodes(run_id)
    assert wanted <= {type(record) for record in whole.records}
    for cut in range(1, len(whole.records)):
        folder = tmp_path / f"cut-{cut}"
        await put(folder, whole, whole.records[:cut], known())
        async with bench(folder, known()) as shop:
            assert await shop.runs.recover() == 1
            watcher = Watcher()
            await shop.runs.subscribe(run_id, watcher, 0)
            found, again = await watcher.end(), load(shop, run_id)
            assert again.records[:cut] == whole.records[:cut]
            assert watcher.seqs == list(range(1, again.row.last_seq + 1))
            assert set(ends(again.records).values()) <= {1}, cut
            assert set(loops(again.records).values()) <= {1}, cut
            assert sum(isinstance(record, r.FinallyStarted) for record in again.records) == 1
            stopped = any(isinstance(x, r.StopRequested | r.DeadlinePassed) for x in whole.records[:cut])
            if status == "SUCCEEDED" or stopped:
                assert (found, await shop.nodes(run_id)) == (status, expected), cut
            if status == "SUCCEEDED":
                assert ends(again.records) == ends(whole.records), cut
                assert loops(again.records) == loops(whole.records), cut
        shutil.rmtree(folder)


async def test_a_good_run_cut_at_every_record_reaches_the_same_end(tmp_path: Path) -> None:
    async with bench(tmp_path / "first", known()) as shop:
        watcher = await shop.run(everything())
        assert watcher.frames[-1]["status_data"]["status"] == "SUCCEEDED"
    wanted = {r.StepLooped, r.JoinExpired, r.RoundStarted, r.FinallyStarted, r.AlarmRaised}
    await cut_everywhere(tmp_path, "run-1", "SUCCEEDED", wanted)


@pytest.mark.parametrize("how", ["stop", "deadline"])
async def test_a_run_cut_off_and_then_cut_at_every_record_does_its_final_part(
    tmp_path: Path, how: str
) -> None:
    data = workflow("a>b", a="gate", b="add", f=FINAL)
    if how == "deadline":
        data["settings"] = {"flow": {"deadline_seconds": 0.05}}
    async with bench(tmp_path / "first", Registry()) as shop:
        watcher = await shop.start(data)
        if how == "stop":
            await watcher.until(lambda frame: frame.get("node_id") == "a")
            await shop.runs.stop("run-1", OWNER)
        status = await watcher.end()
    record = r.StopRequested if how == "stop" else r.DeadlinePassed
    await cut_everywhere(tmp_path, "run-1", status, {record, r.FinallyStarted})
