"""What the engine's log says of runs and of refusals."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from shared.ids import new_id
from tests.core_engine.engine import OWNER, STRANGER, chain, engine, talker, waiting


def lines(caplog: pytest.LogCaptureFixture, *beginnings: str) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.getMessage().startswith(beginnings)]


async def test_a_run_that_is_over_at_once_has_one_line_that_says_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = new_id()
    async with engine(tmp_path) as running, talker(running) as client:
        with caplog.at_level(logging.INFO):
            await client.ask("execute_workflow", job_id=job, workflow_data=chain(2, "set_fields"))
            await client.finish(job)
    (line,) = lines(caplog, "a run ")
    facts = vars(line)
    assert line.getMessage() == "a run has ended"
    assert (facts["run"], facts["status"], facts["mode"]) == (job, "SUCCEEDED", "EXECUTE")
    assert (facts["origin"], facts["address"]) == ("command", OWNER.address.lower())


async def test_a_run_that_goes_on_is_told_of_when_it_begins(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = new_id()
    async with engine(tmp_path) as running, talker(running) as client:
        with caplog.at_level(logging.INFO):
            await client.ask("execute_workflow", job_id=job, workflow_data=waiting())
            (begun,) = lines(caplog, "a run ")
            await client.ask("stop_workflow", job_id=job)
            await client.finish(job)
    first, last = lines(caplog, "a run ")
    assert first is begun
    assert (begun.getMessage(), vars(begun)["address"]) == ("a run was accepted", OWNER.address.lower())
    assert (last.getMessage(), vars(last)["status"]) == ("a run has ended", "STOPPED")
    assert "address" not in vars(last)


@pytest.mark.parametrize(
    ("level", "expected"), [(logging.INFO, ["FORBIDDEN"]), (logging.DEBUG, ["NOT_FOUND", "FORBIDDEN"])]
)
async def test_who_may_ask_and_asks_for_what_is_not_there_is_no_news(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, level: int, expected: list[str]
) -> None:
    async with engine(tmp_path) as running, talker(running) as client:
        with caplog.at_level(level):
            assert (await client.ask("get_run", job_id="none"))["code"] == "NOT_FOUND"
            assert (await client.ask("list_runs", key=STRANGER))["code"] == "FORBIDDEN"
    assert [vars(line)["code"] for line in lines(caplog, "refused a message")] == expected
