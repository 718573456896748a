"""Joins that wait no longer, dead inputs and the final part, in runs of a real service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.payload import Payload, Result
from core_engine.workflow.parse import check_workflow
from shared.contract.run import RunMode
from shared.errors import FloworkError
from tests.core_engine.places import WORKERS
from tests.core_engine.workflow.workshop import OWNER, Registry, Watcher, bench, workflow

LONG = 600.0


class Tell(Component[Config]):
    """Tells what it was given, and where its dead inputs come from."""

    id = "tell"
    name = "Tell"
    description = "Tells."
    category = "test"

    def execute(self, context, config, payload):
        dead = {item.source_id: item.reason for item in context.dead_inputs}
        live = [item.source_id for item in context.inputs]
        return Result.on("success", {"dead": dead, "live": live, "given": payload.data})


class Hang(Component[Config]):
    """Never ends by itself."""

    id = "hang"
    name = "Hang"
    description = "Hangs."
    category = "test"
    execution = Execution.ASYNC

    async def execute(self, context, config, payload):
        import asyncio

        await asyncio.Event().wait()


def registry() -> Registry:
    return Registry((Tell(), Hang()))


def joined(rule: Any) -> dict[str, Any]:
    return workflow(
        "a>j",
        "b>j",
        "c>j",
        "j>z",
        a="add",
        b="gate",
        c="fail",
        j={"module_id": "tell", "join": rule},
        z="add",
    )


async def test_a_join_goes_on_without_what_is_late(tmp_path: Path) -> None:
    known = registry()
    async with bench(tmp_path, known) as shop:
        watcher = await shop.start(joined({"timeout_seconds": 0.05}))
        await watcher.until(lambda frame: frame.get("node_id") == "z")
        told = await shop.output("j>z")
        assert told["dead"] == {"b": "late", "c": "failed"}
        assert told["live"] == ["a"]
        known["gate"].open.set()
        assert await watcher.end() == "FAILED"
        assert watcher.statuses("j") == ["RUNNING", "SUCCESS"]


async def test_a_join_that_must_not_wait_fails_by_its_error_port(tmp_path: Path) -> None:
    known = registry()
    rule = {"timeout_seconds": 0.05, "on_timeout": "fail"}
    data = workflow(
        "a>j", "b>j", "j>z", "j:error>e",
        a="add", b="gate", j={"module_id": "tell", "join": rule}, z="add", e="add",
    )  # fmt: skip
    async with bench(tmp_path, known) as shop:
        watcher = await shop.start(data)
        await watcher.until(lambda frame: frame.get("node_id") == "e" and frame.get("status") == "SUCCESS")
        known["gate"].open.set()
        assert await watcher.end() == "SUCCEEDED"
        assert (await shop.output("j:error>e"))["code"] == "JOIN_TIMEOUT"
        assert (await shop.nodes())["z"] == "SKIPPED"


async def test_the_time_of_a_join_goes_on_while_the_engine_is_down(tmp_path: Path) -> None:
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.start(joined({"timeout_seconds": 0.2}))
        await watcher.until(lambda frame: frame.get("node_id") == "a" and frame["status"] == "SUCCESS")
    known = registry()
    async with bench(tmp_path, known) as again:
        await again.runs.recover()
        watcher = Watcher()
        await again.runs.subscribe("run-1", watcher, 0)
        await watcher.until(lambda frame: frame.get("node_id") == "z")
        assert not known["gate"].open.is_set()
        known["gate"].open.set()
        await watcher.end()


async def test_a_node_that_runs_always_is_told_why_nothing_came(tmp_path: Path) -> None:
    data = workflow(
        "a:no>j", "c>j", "j>z",
        a="branch", c="fail", j={"module_id": "tell", "join": {"run": "always"}}, z="add",
    )  # fmt: skip
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.run(data)
        assert watcher.frames[-1]["status_data"]["status"] == "FAILED"
        told = await shop.output("j>z")
        assert told["dead"] == {"a": "skipped", "c": "failed"}
        assert [item["reason"] for item in told["given"]["dead_inputs"]] == ["skipped", "failed"]


def final(main: str, **more: Any) -> dict[str, Any]:
    nodes = {
        "a": main,
        "f": {"module_id": "tell", "finally": True},
        "g": {"module_id": "add", "finally": True},
    }
    return workflow("f>g", **nodes) | more


@pytest.mark.parametrize(("main", "status"), [("add", "SUCCEEDED"), ("fail", "FAILED")])
async def test_the_final_part_runs_after_everything_and_knows_how_it_went(
    tmp_path: Path, main: str, status: str
) -> None:
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.run(final(main))
        assert watcher.frames[-1]["status_data"]["status"] == status
        given = (await shop.output("f>g"))["given"]
        assert given["status"] == status
        failed = [{"node_id": "a", "name": "A", "error": "it broke", "attempts": 1}]
        assert given["failed_nodes"] == (failed if main == "fail" else [])
        assert (await shop.nodes())["g"] == "SUCCESS"
        assert watcher.seqs == list(range(1, watcher.seqs[-1] + 1))


async def test_a_failure_of_the_final_part_fails_a_run_that_went_well(tmp_path: Path) -> None:
    data = workflow(a="add", f={"module_id": "fail", "finally": True})
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.run(data)
        assert watcher.frames[-1]["status_data"] | {"start_time": "", "end_time": ""} == {
            "status": "FAILED", "error_message": "F: it broke", "start_time": "", "end_time": "",
        }  # fmt: skip


async def test_the_final_part_runs_after_a_stop_too_and_no_longer_than_it_may(
    tmp_path: Path, place: str
) -> None:
    data = workflow(
        a="hang", f={"module_id": "hang", "finally": True}, g={"module_id": "tell", "finally": True}
    )
    data["settings"] = {"flow": {"finally_seconds": 3 if place == WORKERS else 0.1}}
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.start(data)
        await watcher.until(lambda frame: frame.get("node_id") == "a")
        await shop.runs.stop("run-1", OWNER)
        await shop.runs.stop("run-1", OWNER)
        assert await watcher.end() == "STOPPED"
        assert await shop.nodes() == {"a": "CANCELLED", "f": "CANCELLED", "g": "SUCCESS"}


async def test_a_stop_of_a_final_part_that_may_take_its_time_ends_it(tmp_path: Path) -> None:
    data = workflow(a="add", f={"module_id": "hang", "finally": True})
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.start(data)
        await watcher.until(lambda frame: frame.get("node_id") == "f")
        await shop.runs.stop("run-1", OWNER)
        assert await watcher.end() == "STOPPED"


async def test_a_paused_run_that_is_stopped_does_its_final_part(tmp_path: Path) -> None:
    data = final("gate")
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.start(data)
        await watcher.until(lambda frame: frame.get("node_id") == "a")
        await shop.runs.pause("run-1", OWNER)
        await shop.runs.stop("run-1", OWNER)
        assert await watcher.end() == "STOPPED"
        assert (await shop.nodes())["g"] == "SUCCESS"
        assert (await shop.output("f>g"))["given"]["status"] == "STOPPED"


async def test_a_run_from_a_node_does_its_final_part_too(tmp_path: Path) -> None:
    data = final("add")
    data["nodes"].append({"id": "b", "name": "B", "module_id": "add"})
    async with bench(tmp_path, registry()) as shop:
        await shop.run(data, start_node_id="b")
        assert await shop.nodes() == {"a": "SKIPPED", "b": "SUCCESS", "f": "SUCCESS", "g": "SUCCESS"}
        await shop.run(data, "run-2", start_node_id="g", initial_payload=Payload({"n": 4}))
        assert await shop.nodes("run-2") == {"a": "SKIPPED", "b": "SKIPPED", "f": "SKIPPED", "g": "SUCCESS"}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"connections": [{"source": "a", "target": "f"}]}, "connected with each other only"),
        ({"connections": [{"source": "f", "target": "a"}]}, "connected with each other only"),
        ({"settings": {"flow": {"deadline_seconds": -1}}}, "greater than 0"),
        ({"settings": {"flow": {"error_preset": ""}}}, "at least 1 character"),
        ({"global_loop_config": {"isEnabled": True, "iterations": 0}}, "greater than or equal to 1"),
    ],
)
def test_wrong_rules_are_problems_of_the_workflow(change: dict[str, Any], text: str) -> None:
    problems = check_workflow(final("add") | change, registry())
    assert len(problems) == 1
    assert text in problems[0].problem


def test_a_wrong_join_is_a_problem_of_its_node() -> None:
    data = joined({"mode": "first", "count": 0})
    assert {problem.node_id for problem in check_workflow(data, registry())} >= {"j"}


async def test_an_empty_main_part_still_has_a_final_one(tmp_path: Path) -> None:
    async with bench(tmp_path, registry()) as shop:
        watcher = await shop.run(workflow(f={"module_id": "tell", "finally": True}), mode=RunMode.SIMULATE)
        assert watcher.statuses("f") == ["RUNNING", "SUCCESS"]
        with pytest.raises(FloworkError, match="no round"):
            await shop.runs.details("run-1", 2)


async def test_a_final_part_reached_while_paused_waits_for_the_resume(tmp_path: Path) -> None:
    known = registry()
    async with bench(tmp_path, known) as shop:
        watcher = await shop.start(final("gate"))
        await known["gate"].arrived.wait()
        await shop.runs.pause("run-1", OWNER)
        known["gate"].open.set()
        await watcher.until(lambda frame: "finally begins" in frame.get("message", ""))
        assert shop.runs.summary("run-1").status.value == "PAUSED"
        assert watcher.statuses("f") == []
        await shop.runs.resume("run-1", OWNER)
        assert await watcher.end() == "SUCCEEDED"
        assert await shop.nodes() == {"a": "SUCCESS", "f": "SUCCESS", "g": "SUCCESS"}
