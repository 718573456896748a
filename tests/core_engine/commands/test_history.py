"""What went along a connection, on a real engine: during the run, after it, and who may ask."""

from __future__ import annotations

from pathlib import Path

from tests.core_engine.engine import ADMIN, READER, RUNNER, admit, chain, engine, talker, waiting


async def test_the_history_of_a_connection_during_the_run_and_after_it(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        workflow = waiting(30.0, length=3)
        workflow["nodes"][0]["config_values"] = {"seconds": 0}
        await client.ask(
            "execute_workflow", job_id="r1", workflow_data=workflow, initial_payload={"data": {"x": [1]}}
        )
        await client.until(lambda frame: frame.get("connection_id") == "e0")
        during = await client.ask("request_connection_history", job_id="r1", connection_id="e0")
        assert during["history"] == [{"data": {"x": [1]}, "history": []}]
        closed = await client.ask("request_connection_history", job_id="r1", connection_id="e1")
        assert closed["history"] == []
        await client.ask("stop_workflow", job_id="r1")
        after = await client.ask("request_connection_history", job_id="r1", connection_id="e0")
        assert (after["job_id"], after["connection_id"]) == ("r1", "e0")
        assert after["history"] == during["history"]
    async with engine(tmp_path) as running, talker(running) as client:
        later = await client.ask("request_connection_history", job_id="r1", connection_id="e0")
        assert later["history"] == during["history"]


async def test_what_is_missing_or_of_somebody_else_is_not_found(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        await admit(running)
        await client.ask("execute_workflow", job_id="r1", workflow_data=chain(2))
        await client.finish("r1")
        for key, fields in (
            (None, {"job_id": "r1", "connection_id": "e9"}),
            (None, {"job_id": "r2", "connection_id": "e0"}),
            (RUNNER, {"job_id": "r1", "connection_id": "e0"}),
            (READER, {"job_id": "r1", "connection_id": "e0"}),
        ):
            assert (await client.ask("request_connection_history", key, **fields))["code"] == "NOT_FOUND"
        seen = await client.ask("request_connection_history", ADMIN, job_id="r1", connection_id="e0")
        assert len(seen["history"]) == 1
        for fields in ({"job_id": "r1"}, {"connection_id": "e0"}):
            assert (await client.ask("request_connection_history", **fields))["code"] == "INVALID_REQUEST"
