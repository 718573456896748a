"""A failed run is met by a preset, once, with the whole story; alarms too."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core_engine.app import Engine
from core_engine.followups.service import follow_up_id
from core_engine.workflow.aftermath import ended_run
from shared.ids import is_job_id
from shared.signing.presets import sign_preset
from tests.core_engine.engine import OWNER, Talker, chain, engine, talker

MEETS = chain(2, "delay", seconds=0)
GLOBAL = {"global_error_handler_enabled": True, "global_error_workflow_preset": "Meet all"}


def broken(**flow: Any) -> dict[str, Any]:
    return chain(1, "read_file", path="missing.txt") | {"settings": {"flow": flow}}


async def save(client: Talker, name: str, workflow: dict[str, Any] = MEETS) -> None:
    answer = await client.ask(
        "save_preset", name=name, workflow_data=workflow, signature=sign_preset(OWNER, workflow)
    )
    assert answer["type"] == "presets_list_response"


async def settled(of: Engine, run_id: str) -> None:
    """Wait until everybody has heard of the run's end."""
    async with asyncio.timeout(30):
        while any(row.id == run_id for row in of._store.reads.unsettled()):  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.01)


async def over(of: Engine, run_id: str) -> str:
    """Wait for a run's end and return its status."""
    async with asyncio.timeout(30):
        while not of.runs.summary(run_id).status.final:  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.01)
    return of.runs.summary(run_id).status.value


async def ended(of: Engine, run_id: str) -> dict[str, Any]:
    """Wait for a run's end and return what its first step gave on."""
    await over(of, run_id)
    return (await of.runs.connection_history(run_id, "e0"))[0]["data"]


async def fail(client: Talker, job_id: str, workflow: dict[str, Any], **more: Any) -> None:
    await client.ask("execute_workflow", job_id=job_id, workflow_data=workflow, **more)
    assert (await client.finish(job_id))["status_data"]["status"] == "FAILED"


@pytest.mark.parametrize("mode", ["EXECUTE", "SIMULATE"])
async def test_the_workflows_own_preset_meets_its_failure(tmp_path: Path, mode: str) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Meet")
        await save(client, "Meet all")
        await client.ask("save_settings", settings=GLOBAL)
        await fail(client, "bad", broken(error_preset="Meet"), mode=mode, preset_name="Mine")
        await settled(running, "bad")
        name = follow_up_id("bad", "error")
        told = await ended(running, name)
        run = running.runs.summary(name)
        assert (run.origin, run.preset_name, run.mode.value) == ("error:bad", "Meet", mode)
        assert run.started_by == OWNER.address.lower()
        error = told["failed_nodes"][0].pop("error")
        assert error in told.pop("error")
        assert told == {
            "job_id": "bad",
            "preset_name": "Mine",
            "failed_nodes": [{"node_id": "n0", "name": "Step 0", "attempts": 1}],
            "started_by": OWNER.address.lower(),
            "mode": mode,
        }


async def test_the_engines_preset_meets_the_others_and_its_own_failure_is_met_by_nothing(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Meet all", broken())
        await fail(client, "one", broken())
        await settled(running, "one")
        assert len((await client.ask("list_runs"))["runs"]) == 1
        await client.ask("save_settings", settings=GLOBAL)
        await fail(client, "two", broken())
        await settled(running, "two")
        assert await over(running, follow_up_id("two", "error")) == "FAILED"
        await settled(running, follow_up_id("two", "error"))
        assert len((await client.ask("list_runs"))["runs"]) == 3


async def test_a_preset_that_is_missing_or_broken_is_only_noted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await fail(client, "bad", broken(error_preset="Nowhere"))
        await settled(running, "bad")
        assert "cannot start" in caplog.text
        assert len((await client.ask("list_runs"))["runs"]) == 1


async def test_hearing_of_an_end_twice_starts_one_run(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Meet")
        await fail(client, "bad", broken(error_preset="Meet"))
        await settled(running, "bad")
        await save(client, "Meet", chain(3, "delay", seconds=0))
        row = running._store.reads.run("bad")
        assert row is not None
        await running._followups.run_ended(ended_run(row))
        assert len((await client.ask("list_runs"))["runs"]) == 2


async def test_an_alarm_starts_the_preset_of_its_workflow(tmp_path: Path) -> None:
    flow = {"alarm_after_seconds": 0.05, "alarm_preset": "Call"}
    late = chain(1, "delay", seconds=600) | {"settings": {"flow": flow}}
    async with engine(tmp_path) as running, talker(running) as client:
        await save(client, "Call")
        await client.ask("execute_workflow", job_id="late", workflow_data=late)
        await client.until(lambda frame: frame["type"] == "RUN_ALARM")
        name = follow_up_id("late", "alarmlate")
        async with asyncio.timeout(30):
            while len((await client.ask("list_runs"))["runs"]) < 2:  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.01)
        told = await ended(running, name)
        assert (told["job_id"], told["alarm"]) == ("late", "late")
        assert running.runs.summary(name).origin == "alarm:late"


def test_ids_are_the_same_for_the_same_reason_only() -> None:
    names = {follow_up_id("a", "error"), follow_up_id("a", "error"), follow_up_id("b", "error")}
    assert len(names) == 2
    assert all(map(is_job_id, names))
