"""A single component as a run of its own, on a real engine."""

from __future__ import annotations

from pathlib import Path

from tests.core_engine.engine import RUNNER, admit, engine, talker

POPUP = {"module_id": "debug_popup_module", "config_values": {"content": "{{ data.city }}!"}}


async def test_a_standalone_node_is_a_run_of_one_node(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        started = await client.ask(
            "execute_standalone_node",
            job_id="quickjob-1", node_data=POPUP, initial_payload={"data": {"city": "Bandung"}},
        )  # fmt: skip
        assert (started["job_id"], started["seq"]) == ("quickjob-1", 1)
        await client.finish("quickjob-1")
        (popup,) = [frame for frame in client.frames if frame["type"] == "SHOW_DEBUG_POPUP"]
        assert popup["content"] == "Bandung!"
        details = await client.ask("get_run", job_id="quickjob-1")
        assert [(node["node_id"], node["status"]) for node in details["nodes"]] == [("node", "SUCCESS")]


async def test_a_standalone_node_can_be_simulated(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        node = {"module_id": "write_file", "config_values": {"path": "out.txt", "content": "x"}}
        await client.ask("execute_standalone_node", job_id="q", node_data=node, mode="SIMULATE")
        assert (await client.finish("q"))["status_data"]["status"] == "SUCCEEDED"
        assert not list((tmp_path / "files").iterdir())


async def test_what_is_wrong_with_a_standalone_node_is_named(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await admit(running)
        unknown = await client.ask("execute_standalone_node", node_data={"module_id": "no_such"})
        assert unknown["code"] == "INVALID_WORKFLOW"
        assert unknown["details"][0]["node_id"] == "node"
        for fields in ({}, {"node_data": {}}, {"node_data": POPUP, "mode": "MAYBE"}):
            assert (await client.ask("execute_standalone_node", **fields))["code"] == "INVALID_REQUEST"
        assert (await client.ask("execute_standalone_node", RUNNER, node_data=POPUP))["code"] == "FORBIDDEN"
        assert (await client.ask("list_runs"))["runs"] == []
