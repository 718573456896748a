"""The load that runs workflows, against a real engine; and what it does not let pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import b01_signed_commands, b03_runs
from benchmarks.runs import Order, Result, closed_loop, open_loop, orders, save
from benchmarks.workflows import adding, chain, events_of
from core_engine.app import running
from tests.core_engine.engine import OWNER, settings

STEPS = 3


async def test_every_event_of_every_run_comes_back_from_a_real_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(b03_runs, "STEPS", STEPS)
    async with running(settings(tmp_path, ENGINE_MESSAGES_PER_SECOND="100000")) as engine:
        url = engine.address.socket
        await save(url, OWNER, "Saved", chain(STEPS))
        for workflow, batch in ((chain(STEPS), True), ("Saved", False)):
            made = orders(OWNER, 5, workflow, adding(0))
            result = await closed_loop(url, made, connections=2, window=2, batch=batch)
            result.check(made, events_of(STEPS))
        with pytest.raises(RuntimeError, match="INVALID_REQUEST"):
            await save(url, OWNER, "", chain(STEPS))
        made = orders(OWNER, 5, chain(STEPS), adding(0))
        result, seconds = await open_loop(url, made, connections=2, per_second=1000.0, batch=True)
        result.check(made, events_of(STEPS))
        assert len(seconds) == 5
        assert await b01_signed_commands.commands(url, OWNER, 100) > 0
    b03_runs.check_journal(tmp_path, 15)
    with pytest.raises(RuntimeError, match="not 16 runs that succeeded"):
        b03_runs.check_journal(tmp_path, 16)


def frames(*numbers: int, status: str = "SUCCEEDED") -> list[dict[str, object]]:
    return [{"seq": number, "status_data": {"status": status}} for number in numbers]


@pytest.mark.parametrize(
    ("came", "told"),
    [
        (frames(1, 2, 4), "not 1 to 3"),
        (frames(1, 3, 2), "not 1 to 3"),
        (frames(1, 2, 2, 3), "not 1 to 3"),
        ([], "not 1 to 3"),
        (frames(1, 2, 3, status="FAILED"), "a run FAILED"),
    ],
)
def test_a_fast_wrong_answer_fails(came: list[dict[str, object]], told: str) -> None:
    made = [Order("one", b""), Order("two", b"")]
    result = Result(0.1, {"one": frames(1, 2, 3), "two": came}, {})
    with pytest.raises(RuntimeError, match=told):
        result.check(made, 3)
