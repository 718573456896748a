"""The commands on runs, on a real engine: answers and events in their places, rights, and what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.core_engine.engine import (
    ADMIN,
    OWNER,
    READER,
    RUNNER,
    Talker,
    admit,
    chain,
    engine,
    talker,
    waiting,
)


def seqs(client: Talker, job_id: str) -> list[int]:
    return [frame["seq"] for frame in client.frames if frame.get("job_id") == job_id and "seq" in frame]


def whole(client: Talker, job_id: str) -> None:
    """Assert that a connection saw a run's events from the first to the last, each once, in order."""
    found = seqs(client, job_id)
    assert found == list(range(1, len(found) + 1))


async def test_a_start_is_answered_with_its_first_event_and_the_rest_follows(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        answer = await client.ask("execute_workflow", job_id="r1", workflow_data=chain(3))
        assert (answer["type"], answer["seq"], answer["status_data"]["status"]) == (
            "workflow_status_update", 1, "RUNNING",
        )  # fmt: skip
        assert client.frames == [answer], "nothing stands before it"
        assert (await client.finish("r1"))["status_data"]["status"] == "SUCCEEDED"
        whole(client, "r1")
        details = await client.ask("get_run", job_id="r1")
        assert [node["status"] for node in details["nodes"]] == ["SUCCESS"] * 3
        assert details["run"]["started_by"] == OWNER.address.lower()
        assert details["last_seq"] == seqs(client, "r1")[-1]


async def test_without_a_job_id_the_engine_makes_one(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        first, second = [await client.ask("execute_workflow", workflow_data=chain(1)) for _ in range(2)]
        assert first["job_id"] != second["job_id"]


async def test_a_repeated_start_starts_nothing_and_repeats_no_event(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("execute_workflow", job_id="r1", workflow_data=waiting(0.3))
        again = await client.ask("execute_workflow", job_id="r1", workflow_data=waiting(0.3))
        assert again["status_data"]["status"] == "RUNNING"
        await client.finish("r1")
        events = [frame for frame in client.frames if frame is not again]
        assert [frame["seq"] for frame in events] == list(range(1, len(events) + 1))
        last = await client.ask("execute_workflow", job_id="r1", workflow_data=waiting(0.3))
        assert last["status_data"]["status"] == "SUCCEEDED"
        assert len((await client.ask("list_runs"))["runs"]) == 1
        other = await client.ask("execute_workflow", job_id="r1", workflow_data=chain(1))
        assert other["code"] == "CONFLICT"


async def test_simulate_and_start_node_are_passed_on(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask(
            "execute_workflow", job_id="sim", workflow_data=chain(2), mode="SIMULATE", preset_name="Daily"
        )
        await client.finish("sim")
        await client.ask("execute_workflow", job_id="from", workflow_data=chain(3), start_node_id="n2")
        await client.finish("from")
        newest, oldest = (await client.ask("list_runs"))["runs"]
        assert (oldest["mode"], oldest["preset_name"]) == ("SIMULATE", "Daily")
        nodes = (await client.ask("get_run", job_id=newest["job_id"]))["nodes"]
        assert {node["node_id"] for node in nodes if node["status"] == "SUCCESS"} == {"n2"}


async def test_stop_is_answered_with_the_final_status_in_its_place(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("execute_workflow", job_id="r1", workflow_data=waiting())
        answer = await client.ask("stop_workflow", job_id="r1")
        assert answer["status_data"]["status"] == "STOPPED"
        await client.ask("list_runs")
        whole(client, "r1")
        assert sum(frame.get("status_data", {}).get("status") == "STOPPED" for frame in client.frames) == 1
        again = await client.ask("stop_workflow", job_id="r1")
        assert again["status_data"]["status"] == "STOPPED"


async def test_pause_and_resume(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("execute_workflow", job_id="r1", workflow_data=waiting(0.3, length=2))
        paused = await client.ask("pause_workflow", job_id="r1")
        assert paused["status_data"]["status"] == "PAUSED"
        assert (await client.ask("list_runs", status="PAUSED"))["runs"][0]["job_id"] == "r1"
        resumed = await client.ask("resume_workflow", job_id="r1")
        assert resumed["status_data"]["status"] == "RUNNING"
        assert (await client.ask("resume_workflow", job_id="r1"))["code"] == "CONFLICT"
        await client.finish("r1")
        whole(client, "r1")
        assert (await client.ask("pause_workflow", job_id="r1"))["code"] == "CONFLICT"


@pytest.mark.parametrize("command", ["stop_workflow", "pause_workflow", "resume_workflow"])
async def test_steering_without_a_job_id_means_ones_own_newest_run(tmp_path: Path, command: str) -> None:
    async with engine(tmp_path) as running, talker(running) as client, talker(running, ADMIN) as admin:
        await admit(running)
        assert (await client.ask(command))["code"] == "NOT_FOUND"
        for job_id in ("older", "newer"):
            await client.ask("execute_workflow", job_id=job_id, workflow_data=waiting())
        await admin.ask("execute_workflow", job_id="of-admin", workflow_data=waiting())
        if command == "resume_workflow":
            await client.ask("pause_workflow", job_id="older")
        answer = await client.ask(command)
        assert answer["job_id"] == ("older" if command == "resume_workflow" else "newer")


async def test_runs_of_others_do_not_exist_for_those_without_the_right(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        await admit(running)
        async with (
            talker(running) as owner,
            talker(running, ADMIN) as admin,
            talker(running, RUNNER) as runner,
        ):
            await owner.ask("execute_workflow", job_id="secret", workflow_data=waiting())
            for command in ("get_run", "subscribe_run", "stop_workflow", "pause_workflow", "resume_workflow"):
                foreign = await runner.ask(command, job_id="secret")
                missing = await runner.ask(command, job_id="absent")
                assert foreign["code"] == missing["code"] == "NOT_FOUND"
                assert foreign["message"].replace("secret", "absent") == missing["message"]
            for command in ("get_run", "subscribe_run"):
                assert (await runner.ask(command, READER, job_id="secret"))["code"] == "NOT_FOUND"
            assert (await runner.ask("list_runs"))["runs"] == []
            assert [run["job_id"] for run in (await admin.ask("list_runs"))["runs"]] == ["secret"]
            assert (await admin.ask("stop_workflow", job_id="secret"))["status_data"]["status"] == "STOPPED"
        assert not [frame for frame in runner.frames if "seq" in frame], "no event ever reached it"


async def test_a_subscription_is_answered_first_and_has_no_gap_and_no_repeat(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as starter:
        await starter.ask("execute_workflow", job_id="r1", workflow_data=waiting(0.3, length=2))
        async with talker(running) as late, talker(running) as later:
            answer = await late.ask("subscribe_run", job_id="r1")
            assert answer == {
                "type": "run_subscribed", "job_id": "r1", "from_seq": 1, "request_id": answer["request_id"],
            }  # fmt: skip
            assert late.frames == [answer]
            await later.ask("subscribe_run", job_id="r1", after_seq=2)
            for client in (starter, late, later):
                await client.finish("r1")
            whole(late, "r1")
            whole(starter, "r1")
            assert seqs(later, "r1") == seqs(starter, "r1")[2:]
            assert without_request(late) == without_request(starter)
        async with talker(running) as after:
            await after.ask("subscribe_run", job_id="r1")
            await after.finish("r1")
            assert without_request(after) == without_request(starter)


def without_request(client: Talker) -> list[dict[str, Any]]:
    events = [frame for frame in client.frames if "seq" in frame]
    return [{name: value for name, value in frame.items() if name != "request_id"} for frame in events]


async def test_subscribing_again_on_the_same_connection_repeats_what_is_asked_for(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask("execute_workflow", job_id="r1", workflow_data=chain(2))
        await client.finish("r1")
        first = seqs(client, "r1")
        client.frames.clear()
        await client.ask("subscribe_run", job_id="r1", after_seq=first[-1] - 3)
        await client.finish("r1")
        assert seqs(client, "r1") == first[-3:]


async def test_lists_are_paged(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        for number in range(5):
            await client.ask("execute_workflow", job_id=f"r{number}", workflow_data=chain(1))
            await client.finish(f"r{number}")
        page = (await client.ask("list_runs", limit=2))["runs"]
        assert [run["job_id"] for run in page] == ["r4", "r3"]
        rest = (await client.ask("list_runs", before=page[-1]["started_at"]))["runs"]
        assert [run["job_id"] for run in rest][-1] == "r0"
        assert (await client.ask("list_runs", status="FAILED"))["runs"] == []


async def test_validation_lists_every_problem_without_running(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        good = await client.ask("validate_workflow", workflow_data=chain(2))
        assert (good["valid"], good["problems"]) == (True, [])
        bad = chain(2, "no_such_module")
        bad["connections"].append({"id": "loose", "source": "n0", "target": "gone"})
        answer = await client.ask("validate_workflow", workflow_data=bad)
        assert answer["valid"] is False
        assert {problem["node_id"] for problem in answer["problems"]} >= {"n0", "n1"}
        assert "loose" in {problem["connection_id"] for problem in answer["problems"]}
        assert (await client.ask("list_runs"))["runs"] == []


async def test_validation_tells_what_cannot_run_here_but_refuses_no_run(tmp_path: Path) -> None:
    workflow = chain(1, "docker_container", image="alpine")
    async with engine(tmp_path) as running, talker(running) as client:
        answer = await client.ask("validate_workflow", workflow_data=workflow)
        (problem,) = answer["problems"]
        assert (answer["valid"], problem["node_id"]) == (False, "n0")
        assert "ENGINE_DOCKER_CONTAINERS" in problem["problem"]
        workflow["nodes"][0]["disabled"] = True
        assert (await client.ask("validate_workflow", workflow_data=workflow))["valid"]
        del workflow["nodes"][0]["disabled"]
        await client.ask("execute_workflow", job_id="r", workflow_data=workflow, mode="SIMULATE")
        assert (await client.finish("r"))["status_data"]["status"] == "SUCCEEDED"


async def test_components_are_listed_by_type(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        answer = await client.ask("request_components_list")
        assert answer["component_type"] == "modules"
        assert "delay" in {component["id"] for component in answer["components"]}
        triggers = await client.ask("request_components_list", component_type="triggers")
        assert "cron_trigger" in {component["id"] for component in triggers["components"]}
        assert (await client.ask("request_components_list", component_type="tools"))["components"] == []
        assert (await client.ask("request_components_list", component_type="x"))["code"] == "INVALID_REQUEST"
