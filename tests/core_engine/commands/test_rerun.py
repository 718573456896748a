"""Doing runs again, on a real engine: one run, and many failed ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shared.signing.presets import sign_preset
from tests.core_engine.engine import OWNER, RUNNER, Talker, admit, chain, engine, talker, waiting

STATIC = "static_data_provider_module"


def failing() -> dict[str, Any]:
    """A workflow whose second step fails: its file is not there."""
    nodes = [
        {"id": "n0", "name": "Zero", "module_id": STATIC, "config_values": {}},
        {"id": "n1", "name": "One", "module_id": "read_file", "config_values": {"path": "none.txt"}},
    ]
    return {"nodes": nodes, "connections": [{"id": "c", "source": "n0", "target": "n1"}]}


async def save(client: Talker, name: str, workflow: dict[str, Any]) -> None:
    answer = await client.ask(
        "save_preset", name=name, workflow_data=workflow, signature=sign_preset(OWNER, workflow)
    )
    assert answer["type"] == "presets_list_response"


async def statuses(client: Talker, job_id: str) -> dict[str, Any]:
    answer = await client.ask("get_run", job_id=job_id)
    return {node["node_id"]: (node["status"], node.get("seeded_from")) for node in answer["nodes"]}


async def test_a_rerun_is_answered_like_a_start_and_followed(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("execute_workflow", job_id="old", workflow_data=chain(3))
        await client.finish("old")
        answer = await client.ask("rerun", job_id="old", from_node_id="n2", new_job_id="new")
        assert (answer["type"], answer["job_id"], answer["seq"]) == ("workflow_status_update", "new", 1)
        assert (await client.finish("new"))["status_data"]["status"] == "SUCCEEDED"
        assert await statuses(client, "new") == {
            "n0": ("SUCCESS", "old"), "n1": ("SUCCESS", "old"), "n2": ("SUCCESS", None),
        }  # fmt: skip
        details = await client.ask("get_run", job_id="new")
        assert details["run"]["origin"] == "rerun:old"
        made = await client.ask("rerun", job_id="old")
        assert made["job_id"] not in {"old", "new"}
        assert (await client.ask("rerun", job_id="old", version="newest"))["code"] == "INVALID_REQUEST"
        assert (await client.ask("rerun", job_id="nobody"))["code"] == "NOT_FOUND"
        assert (await client.ask("rerun"))["code"] == "INVALID_REQUEST"


async def test_a_run_that_goes_on_is_not_done_again_unasked(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("execute_workflow", job_id="old", workflow_data=waiting())
        assert (await client.ask("rerun", job_id="old"))["code"] == "CONFLICT"
        answer = await client.ask("rerun", job_id="old", of_unfinished=True, new_job_id="new")
        assert answer["status_data"]["status"] == "RUNNING"


async def test_versions_of_a_preset(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        for length in (1, 2, 3):
            await save(client, "Daily", chain(length))
            if length == 1:
                await client.ask("execute_workflow", job_id="old", preset_name="Daily")
                await client.finish("old")
        for version, nodes in (("same", 1), (2, 2), ("newest", 3)):
            name = f"new-{version}"
            await client.ask("rerun", job_id="old", version=version, new_job_id=name)
            await client.finish(name)
            assert len(await statuses(client, name)) == nodes
        assert (await client.ask("rerun", job_id="old", version=9))["code"] == "NOT_FOUND"


async def test_a_runner_does_only_saved_workflows_again(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client, talker(running, RUNNER) as runner:
        await admit(running)
        await save(client, "Daily", chain(1))
        await runner.ask("execute_workflow", job_id="mine", preset_name="Daily")
        await runner.finish("mine")
        assert (await runner.ask("rerun", job_id="mine"))["status_data"]["status"] == "RUNNING"
        await client.ask("execute_workflow", job_id="inline", workflow_data=chain(2))
        await client.finish("inline")
        assert (await runner.ask("rerun", job_id="inline"))["code"] == "NOT_FOUND"
        await client.ask("delete_preset", name="Daily")
        assert (await runner.ask("rerun", job_id="mine"))["code"] in {"FORBIDDEN", "NOT_FOUND"}
        assert (await runner.ask("replay_runs"))["code"] == "FORBIDDEN"


async def test_failed_runs_are_replayed_once_on_the_fixed_version(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Daily", failing())
        for name in ("f1", "f2"):
            await client.ask("execute_workflow", job_id=name, preset_name="Daily")
            assert (await client.finish(name))["status_data"]["status"] == "FAILED"
        await client.ask("execute_workflow", job_id="inline", workflow_data=failing())
        await client.finish("inline")
        await save(client, "Daily", chain(2))
        dry = await client.ask("replay_runs")
        assert (dry["dry_run"], dry["matched"], dry["startable"], dry["refused"]) == (True, 3, 2, 1)
        assert [run["outcome"] for run in dry["runs"]] == ["refused", "would_start", "would_start"]
        assert "no preset" in dry["runs"][0]["reason"]
        assert len((await client.ask("list_runs"))["runs"]) == 3
        done = await client.ask("replay_runs", dry_run=False, preset_name="Daily")
        assert [run["outcome"] for run in done["runs"]] == ["started", "started"]
        assert [run["new_job_id"] for run in done["runs"]] == [run["new_job_id"] for run in dry["runs"][1:]]
        for run in done["runs"]:
            await client.ask("subscribe_run", job_id=run["new_job_id"])
            assert (await client.finish(run["new_job_id"]))["status_data"]["status"] == "SUCCEEDED"
        again = await client.ask("replay_runs", dry_run=False, preset_name="Daily")
        assert {run["outcome"] for run in again["runs"]} == {"refused"}
        assert all("succeeded" in run["reason"] for run in again["runs"])


async def test_a_replay_that_fails_again_is_not_started_twice_and_filters_hold(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("execute_workflow", job_id="f1", workflow_data=failing())
        await client.finish("f1")
        first = await client.ask("replay_runs", version="same", dry_run=False, start_from="failed")
        (item,) = first["runs"]
        assert (item["outcome"], item["kept_nodes"]) == ("started", 1)
        await client.ask("subscribe_run", job_id=item["new_job_id"])
        assert (await client.finish(item["new_job_id"]))["status_data"]["status"] == "FAILED"
        second = await client.ask("replay_runs", version="same", dry_run=False, start_from="failed")
        assert {run["job_id"]: run["outcome"] for run in second["runs"]} == {
            "f1": "exists", item["new_job_id"]: "refused",
        }  # fmt: skip
        for wish in ({"error_contains": "nowhere"}, {"after": 2**52}, {"before": 1}, {"status": "STOPPED"}):
            assert (await client.ask("replay_runs", version="same", **wish))["matched"] == 0
        text = (await client.ask("get_run", job_id="f1"))["run"]["error_message"]
        found = await client.ask("replay_runs", version="same", error_contains=text[:20].upper())
        assert found["matched"] == 2
