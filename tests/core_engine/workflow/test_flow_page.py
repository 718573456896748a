"""The examples of docs/workflows/flow.md run as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.core_engine.engine import engine, talker

PAGE = Path(__file__).resolve().parents[3] / "docs" / "workflows" / "flow.md"
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
async def test_an_example_runs(tmp_path: Path, number: int) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        answer = await client.ask("execute_workflow", job_id="run-1", workflow_data=EXAMPLES[number])
        assert answer["type"] == "workflow_status_update", answer
        assert (await client.finish("run-1"))["status_data"]["status"] == "SUCCEEDED"


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 8


async def test_get_run_shows_the_round_that_is_asked_for(tmp_path: Path) -> None:
    loop = {"isEnabled": True, "iterations": 3}
    async with engine(tmp_path) as running, talker(running) as client:
        await client.ask(
            "execute_workflow", job_id="run-1", workflow_data=EXAMPLES[4] | {"global_loop_config": loop}
        )
        await client.finish("run-1")
        found = await client.ask("get_run", job_id="run-1", round=2)
        assert (found["round"], found["rounds"], len(found["nodes"])) == (2, 3, 2)
        assert (await client.ask("get_run", job_id="run-1"))["round"] == 3
        assert (await client.ask("get_run", job_id="run-1", round=4))["code"] == "NOT_FOUND"
