"""Pinned results on a real engine: given with a start, stored for a preset, and who may use them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.signing.presets import sign_preset
from tests.core_engine.engine import ADMIN, OWNER, RUNNER, Talker, admit, chain, engine, talker

FILE = {
    "nodes": [
        {"id": "read", "name": "Read", "module_id": "read_file", "config_values": {"path": "none.txt"}},
        {"id": "add", "name": "Add", "module_id": "static_data_provider_module", "config_values": {}},
    ],
    "connections": [{"id": "c", "source": "read", "target": "add", "source_port_name": "success"}],
}


async def save(client: Talker, name: str, workflow: dict[str, Any]) -> None:
    await client.ask("save_preset", name=name, workflow_data=workflow, signature=sign_preset(OWNER, workflow))


async def nodes(client: Talker, job_id: str) -> dict[str, tuple[str, Any]]:
    answer = await client.ask("get_run", job_id=job_id)
    return {node["node_id"]: (node["status"], node.get("pinned")) for node in answer["nodes"]}


async def passed(client: Talker, job_id: str) -> list[Any]:
    answer = await client.ask("request_connection_history", job_id=job_id, connection_id="c")
    return [item["data"] for item in answer["history"]]


async def test_a_pinned_node_does_not_run(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        pins = {"read": {"success": {"data": {"lines": ["x"]}, "history": []}}}
        await client.ask("execute_workflow", job_id="r", workflow_data=FILE, pins=pins)
        assert (await client.finish("r"))["status_data"]["status"] == "SUCCEEDED"
        assert await nodes(client, "r") == {"read": ("SUCCESS", True), "add": ("SUCCESS", None)}
        assert await passed(client, "r") == [{"lines": ["x"]}]
        broken = {"read": {"error": "no disk"}}
        await client.ask("execute_workflow", job_id="e", workflow_data=FILE, pins=broken)
        end = await client.finish("e")
        assert end["status_data"]["error_message"] == "Read: no disk"
        unknown = await client.ask("execute_workflow", workflow_data=FILE, pins={"nobody": {"success": 1}})
        assert (unknown["code"], "nobody" in unknown["message"]) == ("INVALID_REQUEST", True)


async def test_stored_pins_are_used_only_when_asked(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "File", FILE)
        stored = await client.ask("pin_data", preset="File", node_id="read", outputs={"success": {"n": 1}})
        (pin,) = stored["pins"]
        assert (pin["node_id"], pin["outputs"], pin["pinned_by"]) == (
            "read", {"success": {"n": 1}}, OWNER.address.lower(),
        )  # fmt: skip
        await client.ask("execute_workflow", job_id="plain", preset_name="File")
        assert (await client.finish("plain"))["status_data"]["status"] == "FAILED"
        await client.ask("execute_workflow", job_id="test", preset_name="File", use_pins=True)
        assert (await client.finish("test"))["status_data"]["status"] == "SUCCEEDED"
        await client.ask("rerun", job_id="test", new_job_id="rerun")
        assert (await client.finish("rerun"))["status_data"]["status"] == "FAILED", "a rerun uses no pins"
    async with engine(tmp_path) as running, talker(running) as client:
        assert (await client.ask("list_pins", preset="File"))["pins"] == [pin]
        await save(client, "File", chain(1))
        answer = await client.ask("execute_workflow", preset_name="File", use_pins=True)
        assert answer["status_data"]["status"] == "RUNNING", "a pin of a node that has gone does not matter"
        assert (await client.ask("pin_data", preset="File", clear=True))["pins"] == []


async def test_a_pin_from_a_past_run(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "File", FILE)
        pins = {"read": {"success": {"lines": ["y"]}}}
        await client.ask("execute_workflow", job_id="old", workflow_data=FILE, pins=pins)
        await client.finish("old")
        answer = await client.ask("pin_data", preset="File", node_id="read", from_job_id="old")
        assert answer["pins"][0]["from_job_id"] == "old"
        await client.ask("execute_workflow", job_id="new", preset_name="File", use_pins=True)
        await client.finish("new")
        assert await passed(client, "new") == [{"lines": ["y"]}]
        await client.ask("delete_preset", name="File")
        await save(client, "File", FILE)
        assert (await client.ask("list_pins", preset="File"))["pins"] == []


async def test_what_is_refused(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client, talker(running, RUNNER) as runner:
        await admit(running)
        await save(client, "Daily", chain(2))
        for aid in ({"pins": {"n0": {"success": 1}}}, {"use_pins": True}, {"breakpoints": ["e"]}):
            assert (await runner.ask("execute_workflow", preset_name="Daily", **aid))["code"] == "FORBIDDEN"
        pin = {"preset": "Daily", "node_id": "n0"}
        assert (await runner.ask("pin_data", outputs={"success": 1}, **pin))["code"] == "FORBIDDEN"
        assert (await runner.ask("list_pins", preset="Daily"))["code"] == "FORBIDDEN"
        async with talker(running, ADMIN) as admin:
            assert (await admin.ask("pin_data", outputs={"success": 1}, **pin))["type"] == "pins_response"
        assert (await client.ask("pin_data", **pin))["code"] == "INVALID_REQUEST"
        assert (await client.ask("pin_data", outputs={"success": 1}, preset="Daily"))[
            "code"
        ] == "INVALID_REQUEST"
        both = {"outputs": {"success": 1}, "from_job_id": "x"}
        assert (await client.ask("pin_data", **both, **pin))["code"] == "INVALID_REQUEST"
        gone = await client.ask("pin_data", preset="Daily", node_id="zz", outputs={"success": 1})
        assert gone["code"] == "NOT_FOUND"
