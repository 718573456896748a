"""Alarms of triggers: what comes late or not at all is told, once, to everybody who should know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core_engine.triggers.admission import LATE_MS
from core_engine.triggers.alarms import QUIET_MS, Alarms, Raised
from core_engine.triggers.rules import Rule
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.engine import READER, STRANGER, admit, talker
from tests.core_engine.gateway_link.test_relay import Gateway
from tests.core_engine.triggers.desk import (
    OWNER_ADDRESS,
    engine,
    flow,
    given,
    node,
    pause,
    quick,
    rule,
    runs,
    save,
    until,
)

START = 1_700_000_000_000
FIRST = 1_700_000_040_000
MINUTE = 60_000


def heard(of: Any) -> list[Raised]:
    found: list[Raised] = []
    of.triggers.alarms.listen(found.append)
    return found


@pytest.mark.parametrize(
    ("missed", "told"),
    [
        ("skip", [("not_started", 5, FIRST)]),
        ("run_once", [("late", 1, FIRST), ("not_started", 4, FIRST + MINUTE)]),
        ("run_all", [("late", 5, FIRST)]),
    ],
)
async def test_times_that_passed_while_the_engine_was_down_raise_alarms(
    tmp_path: Path, missed: str, told: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"cron_string": "* * * * *", "missed": missed})
        await of.triggers.scheduler.turn()
    clock.ms = FIRST + 4 * MINUTE + 30_000
    async with engine(tmp_path, clock) as of:
        await of.triggers.scheduler.turn()
        lines = [record for record in caplog.records if record.message == "a trigger raises an alarm"]
        assert [record.alarm for record in lines] == [kind for kind, *_ in told]  # type: ignore[attr-defined]
        latest = of.triggers.describe(made).last_alarm
        assert latest
        assert (latest.kind, latest.count, latest.due) == told[-1]
        assert (latest.rule_id, latest.preset_name) == (made.id, "flow")
        assert "270 s" in latest.message or "210 s" in latest.message
        await of.triggers.delete(made.id)
        assert of.triggers.alarms.latest(made.id) is None


async def test_a_start_in_time_raises_none(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", quick())
        made = await rule(of, "cron", config={"cron_string": "* * * * *"})
        await of.triggers.scheduler.turn()
        clock.ms = FIRST + 59_000
        await of.triggers.scheduler.turn()
        await until(lambda: runs(of))
        assert of.triggers.describe(made).last_alarm is None


async def test_an_event_that_waits_too_long_is_told_of_once(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with engine(tmp_path, clock) as of:
        await save(of, "flow", pause(10**6))
        made = await rule(of, "manual", policy={"kind": "queue", "queue_limit": 1})
        raised = heard(of)
        for _ in range(2):
            await of.triggers.fire(made, {})
        await of.triggers.admission.turn()
        clock.ms += LATE_MS + 1
        for _ in range(3):
            await of.triggers.admission.turn()
            clock.ms += QUIET_MS
        assert [(item.alarm.kind, item.alarm.count) for item in raised] == [("late", 1)]
        await of.triggers.fire(made, {})
        assert [item.alarm.kind for item in raised] == ["late", "not_started"]
        assert "1 events of the rule wait already" in raised[-1].alarm.message


async def test_a_blocked_rule_and_a_preset_that_is_gone_are_told_of(tmp_path: Path) -> None:
    async with engine(tmp_path) as of:
        await save(of, "flow", quick())
        made = await rule(of, "manual", by=STRANGER.address.lower())
        other = await rule(of, "manual")
        raised = heard(of)
        with pytest.raises(FloworkError, match="blocked") as caught:
            await of.triggers.fire(made, {})
        assert caught.value.code is ErrorCode.FORBIDDEN
        await of._store.perform(lambda link: link.execute("DELETE FROM preset_version") and None)
        with pytest.raises(FloworkError):
            await of.triggers.fire(other, {})
        assert [(item.rule.id, item.alarm.kind) for item in raised] == [
            (made.id, "not_started"),
            (other.id, "not_started"),
        ]


async def test_an_alarm_reaches_who_has_a_role_on_the_socket_and_behind_the_gateway(tmp_path: Path) -> None:
    async with engine(tmp_path) as of, talker(of, READER) as reader, talker(of, STRANGER) as stranger:
        await admit(of)
        await save(of, "flow", quick())
        made = await rule(of, "manual", name="Nightly", by=STRANGER.address.lower())
        assert (await reader.ask("list_runs"))["type"] == "runs_list_response"
        assert (await stranger.ask("list_runs"))["code"] == "FORBIDDEN"
        page = Gateway(of)
        of.relay.connected(page.send)
        await page.open()
        await page.command("list_runs")
        await page.next("runs_list_response")
        with pytest.raises(FloworkError):
            await of.triggers.fire(made, {})
        found = await reader.until(lambda frame: frame["type"] == "TRIGGER_ALARM")
        wanted = {"rule_id": made.id, "preset_name": "flow", "rule_name": "Nightly", "kind": "not_started"}
        assert wanted.items() <= found.items()
        assert wanted.items() <= (await page.next("TRIGGER_ALARM")).items()
        await stranger.send("list_runs")
        assert (await stranger.next())["code"] == "FORBIDDEN", "nothing came before the answer"


async def test_the_workflows_alarm_preset_meets_an_alarm_of_its_trigger(tmp_path: Path) -> None:
    clock = ManualClock(START)
    daily = flow(
        node("at", "cron_trigger", cron_string="* * * * *", missed="skip"), flow={"alarm_preset": "Call"}
    )
    async with engine(tmp_path, clock) as of:
        await save(of, "Call", quick())
        await save(of, "Daily", daily)
        await of.triggers.scheduler.turn()
    clock.ms = FIRST + 10 * MINUTE
    async with engine(tmp_path, clock) as of:
        await of.triggers.scheduler.turn()
        (run,) = await until(lambda: runs(of, "Call"))
        (made,) = of.triggers.rules.all("Daily")
        assert (run.origin, run.started_by) == (f"alarm:{made.id}", OWNER_ADDRESS)
        told = await given(of, run.job_id)
        assert (told["alarm"], told["preset_name"], told["count"]) == ("not_started", "Daily", 11)
        assert await runs(of, "Daily") == []


def test_the_same_alarm_is_not_raised_twice_within_a_minute() -> None:
    clock = ManualClock(START)
    alarms = Alarms(clock)
    raised: list[Raised] = []
    alarms.listen(raised.append)
    one, two = (Rule(name, "flow", "manual", name, OWNER_ADDRESS, START) for name in ("one", "two"))
    for _ in range(2):
        alarms.raise_for(one, "late", "x")
        alarms.raise_for(one, "not_started", "x")
        alarms.raise_for(two, "late", "x")
        clock.ms += QUIET_MS - 1
    assert len(raised) == 3
    clock.ms += 1
    alarms.raise_for(one, "late", "x")
    assert len(raised) == 4
    alarms.forget("one")
    alarms.raise_for(one, "late", "x")
    assert len(raised) == 5
