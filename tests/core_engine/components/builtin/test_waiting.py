"""Manual approval and waiting for a time, as components."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from core_engine.kernel.payload import Payload
from core_engine.kernel.suspension import Answer, Ending, Suspend
from shared.contract.run import RunMode
from shared.errors import FloworkError

BY = "0x" + "b" * 40


def parts(registry: Any, name: str, **config: Any) -> tuple[Any, Any]:
    component = registry.find(name)
    return component, component.parse_config(config)


async def test_an_approval_asks_and_waits_for_ever_unless_told(registry, step) -> None:
    component, config = parts(registry, "manual_approval", title="Sure?", message="Look", timeout_seconds=1.5)
    asked = component.execute(step, config, Payload())
    assert asked == Suspend(signal="approval", prompt={"title": "Sure?", "message": "Look"}, after_ms=1500)
    _, config = parts(registry, "manual_approval")
    assert component.execute(step, config, Payload()).after_ms is None


@pytest.mark.parametrize(
    ("ending", "at_timeout", "port"),
    [
        (Ending.APPROVED, "reject", "approved"),
        (Ending.REJECTED, "approve", "rejected"),
        (Ending.TIMEOUT, "approve", "approved"),
        (Ending.TIMEOUT, "reject", "rejected"),
    ],
)
async def test_the_answer_chooses_the_port(
    registry, step, ending: Ending, at_timeout: str, port: str
) -> None:
    component, config = parts(registry, "manual_approval", at_timeout=at_timeout)
    given = Payload({"n": 1}, ["h"])
    result = component.resume(step, config, given, Answer(ending, BY, "why"))
    answer = {"approved": port == "approved", "by": BY, "comment": "why"}
    assert result.outputs == {port: Payload({"n": 1, "approval": answer}, ["h"])}
    assert given.data == {"n": 1}


async def test_the_answer_can_be_left_out_of_the_data(registry, step) -> None:
    component, config = parts(registry, "manual_approval", answer_as="")
    approved = Answer(Ending.APPROVED, BY)
    assert component.resume(step, config, Payload({"n": 1}), approved).outputs["approved"].data == {"n": 1}
    _, config = parts(registry, "manual_approval")
    assert component.resume(step, config, Payload([1]), approved).outputs["approved"].data == [1]


async def test_no_answer_in_time_can_be_a_failure(registry, step) -> None:
    component, config = parts(registry, "manual_approval", at_timeout="fail", timeout_seconds=60)
    with pytest.raises(FloworkError, match="within 60 s"):
        component.resume(step, config, Payload(), Answer(Ending.TIMEOUT))


@pytest.mark.parametrize(
    ("until", "ms"),
    [
        ("2027-01-31T09:00:00+07:00", 1_801_360_800_000),
        ("2027-01-31T02:00:00Z", 1_801_360_800_000),
        (" 2027-01-31T02:00 ", 1_801_360_800_000),
        ("1900-01-01", 0),
    ],
)
async def test_a_time_is_read_as_utc_unless_it_says_otherwise(registry, step, until: str, ms: int) -> None:
    component, config = parts(registry, "wait_until", until=until, seconds=5)
    assert component.execute(step, config, Payload()) == Suspend(until_ms=ms)


async def test_without_a_time_the_seconds_count(registry, step) -> None:
    component, config = parts(registry, "wait_until", seconds=2.5)
    assert component.execute(step, config, Payload()) == Suspend(after_ms=2500)
    given = Payload({"n": 1}, ["h"])
    assert component.resume(step, config, given, Answer(Ending.DUE)).outputs == {"success": given}


@pytest.mark.parametrize("wrong", [{"until": "tomorrow"}, {"seconds": -1}, {"seconds": 1e12}])
async def test_what_is_no_time_is_refused(registry, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        parts(registry, "wait_until", **wrong)


@pytest.mark.parametrize(("name", "port"), [("manual_approval", "approved"), ("wait_until", "success")])
async def test_simulating_goes_on_at_once(run, step, name: str, port: str) -> None:
    result = await run(name, {}, {"n": 1}, mode=RunMode.SIMULATE)
    assert list(result.outputs) == [port]
    assert step.logs[0][1].startswith("Simulated")
