"""Fields that only the wire carries: over a real socket, each with the value it must have."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.contract.run import RunDetails
from shared.signing.presets import sign_preset
from tests.core_engine.commands.test_install import package
from tests.core_engine.engine import CLOCK, OWNER, Talker, chain, engine, talker

TIMES = {"BREAKPOINT_HIT", "RUN_ALARM", "log", "NODE_EXECUTION_METRIC"}
DAY = 86_400_000


def step(node_id: str, module_id: str, **config: Any) -> dict[str, Any]:
    return {"id": node_id, "name": node_id, "module_id": module_id, "config_values": config}


def everything() -> dict[str, Any]:
    """A workflow that loops, computes, asks a person, is late, and gives a result."""
    loop = step("each", "for_each", items=[1, 2, 3])
    code = "def run(input, log):\n    log('computing')\n    return {'sum': 6}"
    inside = step("in", "delay", seconds=0.1) | {"parent_id": "each"}
    nodes = [loop, inside, step("code", "function_runner_module", code=code), step("ask", "manual_approval")]
    edges = [
        {"id": "a", "source": "each", "target": "code"},
        {"id": "b", "source": "code", "target": "ask"},
    ]
    return {"nodes": nodes, "connections": edges, "settings": {"flow": {"alarm_after_seconds": 0.05}}}


def moment(frame: dict[str, Any]) -> float:
    """When an event says it was, in Unix milliseconds."""
    told = frame["timestamp"]
    return datetime.fromisoformat(told).timestamp() * 1000 if isinstance(told, str) else told * 1000


async def until_told(client: Talker, kind: str, **fields: Any) -> dict[str, Any]:
    """Return an event, which may have come already."""

    def found(frame: dict[str, Any]) -> bool:
        return frame["type"] == kind and fields.items() <= frame.items()

    for frame in client.frames:
        if found(frame):
            return frame
    return await client.until(found)


async def test_what_a_run_tells_and_what_is_left_of_it(tmp_path: Path) -> None:
    begun = CLOCK.now_ms()
    async with engine(tmp_path) as of, talker(of) as client, talker(of) as other:
        await client.ask("execute_workflow", job_id="r", workflow_data=everything(), breakpoints=["a"])
        await other.ask("subscribe_run", job_id="r", include_children=True)
        hit = await until_told(client, "BREAKPOINT_HIT")
        assert (hit["connection_id"], hit["job_id"]) == ("a", "r")
        alarm = await until_told(client, "RUN_ALARM")
        assert (alarm["kind"], alarm["job_id"]) == ("late", "r")
        assert "0.05 s" in alarm["message"]
        progress = await until_told(client, "LOOP_PROGRESS", done=3)
        assert (progress["node_id"], progress["running"], progress["total"]) == ("each", 0, 3)
        await client.ask("continue_run", job_id="r")
        asked = await until_told(client, "MANUAL_APPROVAL_REQUESTED")
        await client.ask("approve_manual", job_id="r", node_id="ask", approval_id=asked["approval_id"])
        await client.finish("r")
        run = [frame for frame in client.frames if "seq" in frame and frame["job_id"] == "r"]
        assert [frame["seq"] for frame in run] == list(range(1, len(run) + 1))
        assert asked in run
        assert alarm in run
        timed = [frame for frame in run if frame["type"] in TIMES]
        assert {frame["type"] for frame in timed} == TIMES
        assert all(begun - 1 <= moment(frame) <= CLOCK.now_ms() + 1 for frame in timed)
        children = await client.ask("list_runs", parent_job_id="r")
        assert [run["item"] for run in children["runs"]] == [0, 1, 2]
        rest = await client.ask("list_runs", parent_job_id="r", after_item=0)
        assert rest["runs"] == children["runs"][1:]
        last = children["runs"][-1]["job_id"]
        assert (await until_told(other, "workflow_status_update", job_id=last))["seq"] == 1
        details = await client.ask("get_run", job_id="r")
        RunDetails.model_validate(details)
        whole = {"data": details["result"], "history": []}
        assert details["result_bytes"] == len(json.dumps(whole, separators=(",", ":")))
        assert "usage" not in details, "nothing that costs was used"


async def test_what_a_rule_made_by_a_command_carries(tmp_path: Path) -> None:
    async with engine(tmp_path) as of, talker(of) as client:
        workflow = chain(2)
        signature = sign_preset(OWNER, workflow)
        await client.ask("save_preset", name="Daily", workflow_data=workflow, signature=signature)
        fields = {"kind": "cron", "config": {"cron_string": "0 0 * * *"}, "start_node_id": "n1"}
        made = await client.ask(
            "save_trigger", preset_name="Daily", rule_name="Nightly", mode="SIMULATE", **fields
        )
        assert (made["rule"]["name"], made["rule"]["mode"]) == ("Nightly", "SIMULATE")
        now = CLOCK.now_ms()
        coming = await client.ask("schedule_preview", from_ms=now + 2 * DAY, until_ms=now + 4 * DAY)
        assert len(coming["starts"]) == 2
        assert all(now + 2 * DAY < start["due"] <= now + 4 * DAY for start in coming["starts"])
        fired = await client.ask("fire_trigger", rule_id=made["rule"]["id"])
        await client.ask("subscribe_run", job_id=fired["run_id"])
        await client.finish(fired["run_id"])
        run = await client.ask("get_run", job_id=fired["run_id"])
        assert run["run"]["mode"] == "SIMULATE"
        assert [node["status"] for node in run["nodes"]] == ["SKIPPED", "SUCCESS"]


async def test_how_a_run_is_done_again(tmp_path: Path) -> None:
    async with engine(tmp_path) as of, talker(of) as client:
        for version, workflow in enumerate((chain(2, text="{{ data.who }}"), chain(2, text="changed"))):
            signature = sign_preset(OWNER, workflow)
            more = {"based_on": version} if version else {}
            await client.ask("save_preset", name="P", workflow_data=workflow, signature=signature, **more)
            if not version:
                await client.ask("execute_workflow", job_id="old", preset_name="P")
                await client.finish("old")
        wish = {"job_id": "old", "initial_payload": {"data": {"who": "Ada"}}, "mode": "SIMULATE"}
        await client.ask("rerun", new_job_id="new", **wish)
        await client.finish("new")
        assert (await client.ask("get_run", job_id="new"))["run"]["mode"] == "SIMULATE"
        wish = {"job_id": "old", "from_node_id": "n1", "version": "newest"}
        assert (await client.ask("rerun", **wish))["code"] == "CONFLICT"
        answer = await client.ask("rerun", rerun_changed=True, new_job_id="again", **wish)
        assert answer["type"] == "workflow_status_update", answer
        wish = {"status": "SUCCEEDED", "start_from": "start"}
        assert (await client.ask("replay_runs", **wish))["matched"] >= 1
        assert len((await client.ask("replay_runs", limit=1, **wish))["runs"]) == 1
        assert (await client.ask("replay_runs", rerun_changed=True, **wish))["dry_run"] is True


async def test_what_is_told_before_something_is_installed(tmp_path: Path) -> None:
    async with engine(tmp_path) as of, talker(of) as client:
        asks = package(tmp_path / "made", permissions=["network:api.example.com"])
        seen = await client.ask("inspect_component", package=asks)
        assert seen["component_name"]
        assert seen["installed_versions"] == []
        assert len(seen["hash"]) >= 64
        (permission,) = seen["permissions"]
        assert permission["permission"] == "network:api.example.com"
        refused = await client.ask("install_component", package=asks)
        assert refused["code"] == "FORBIDDEN", refused
        done = await client.ask(
            "install_component", package=asks, accept_permissions=[permission["permission"]]
        )
        assert done["success"] is True
        assert (await client.ask("inspect_component", package=asks))["installed_versions"] == ["1.0.0"]
        again = await client.ask("install_component", component_id="greeter", repair=True)
        assert again["type"] == "component_install_status", again
        assert again["is_installed"] is True


async def test_vitals_are_figures(tmp_path: Path) -> None:
    async with engine(tmp_path, ENGINE_VITALS_SECONDS="0.2") as of, talker(of) as client:
        await client.send("list_runs")
        async with asyncio.timeout(30):
            told = await client.until(lambda frame: frame["type"] == "engine_status_update")
        assert told["isBusy"] is False
        assert 0 <= told["cpuPercent"] <= 100
        assert 0 < told["memoryPercent"] <= 100
