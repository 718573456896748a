"""The commands on breakpoints, on a real engine, also over a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.core_engine.engine import RUNNER, Talker, admit, chain, engine, talker

LINKS = ["edge-0", "edge-1"]


def linked() -> dict[str, Any]:
    data = chain(3)
    for connection, name in zip(data["connections"], LINKS, strict=True):
        connection["id"] = name
    return data


def held(answer: dict[str, Any]) -> list[str]:
    return [item["connection_id"] for item in answer.get("at_breakpoints", [])]


async def hit(client: Talker, name: str) -> None:
    """Wait for the event; it may have come before the answer to what led to it."""

    def found(frame: dict[str, Any]) -> bool:
        return frame["type"] == "BREAKPOINT_HIT" and frame["connection_id"] == name

    if not any(map(found, client.frames)):
        await client.until(found)


async def test_stop_look_step_and_go_on_over_a_restart(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("execute_workflow", job_id="r", workflow_data=linked(), breakpoints=["edge-0"])
        await hit(client, "edge-0")
        assert held(await client.ask("get_run", job_id="r")) == ["edge-0"]
        seen = await client.ask("request_connection_history", job_id="r", connection_id="edge-0")
        assert len(seen["history"]) == 1
    async with engine(tmp_path) as running, talker(running) as client:
        assert held(await client.ask("get_run", job_id="r")) == ["edge-0"]
        assert held(await client.ask("step_run", job_id="r")) in ([], ["edge-1"])
        await client.ask("subscribe_run", job_id="r")
        await hit(client, "edge-1")
        assert (await client.ask("continue_run", job_id="r", connection_id="edge-0"))["code"] == "CONFLICT"
        await client.ask("continue_run", job_id="r", connection_id="edge-1")
        assert (await client.finish("r"))["status_data"]["status"] == "SUCCEEDED"
        assert (await client.ask("continue_run", job_id="r"))["code"] == "CONFLICT"
        assert (await client.ask("step_run", job_id="nobody"))["code"] == "NOT_FOUND"


async def test_one_may_not_touch_the_runs_of_others(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client, talker(running, RUNNER) as runner:
        await admit(running)
        await client.ask("execute_workflow", job_id="r", workflow_data=linked(), breakpoints=["edge-0"])
        await hit(client, "edge-0")
        for command in ("continue_run", "step_run"):
            assert (await runner.ask(command, job_id="r"))["code"] == "NOT_FOUND"
        assert (await runner.ask("set_breakpoints", job_id="r", connections=[]))["code"] == "NOT_FOUND"
        assert (await client.ask("set_breakpoints", job_id="r", connections=["x"]))["code"] == "NOT_FOUND"
        assert held(await client.ask("set_breakpoints", job_id="r", connections=[])) == ["edge-0"]
        await client.ask("continue_run", job_id="r")
        assert (await client.finish("r"))["status_data"]["status"] == "SUCCEEDED"
