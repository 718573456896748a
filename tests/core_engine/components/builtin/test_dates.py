"""The component for dates and times, over summer time, month ends and odd input."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core_engine.components.builtin.date_time.component import zone_of
from core_engine.components.builtin.date_time.moments import add, bound, difference, read
from shared.errors import FloworkError


async def result(run, config):
    return (await run("date_time", config)).outputs["success"].data["date"]


NOW = 1_774_832_645_250  # 2026-03-30T01:04:05.250Z


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "2026-03-30T01:04:05.250000+00:00"),
        ({"time_zone": "Asia/Jakarta", "format": "%d.%m.%Y %H:%M"}, "30.03.2026 08:04"),
        (
            {"action": "convert", "date": "2026-03-29T01:30:00Z", "time_zone": "Europe/Berlin"},
            "2026-03-29T03:30:00+02:00",
        ),
        ({"action": "convert", "date": 1_774_832_645, "format": "%H:%M:%S"}, "01:04:05"),
        ({"action": "convert", "date": str(NOW), "format": "%S.%f"}, "05.250000"),
        ({"action": "convert", "date": "20260331"}, "2026-03-31T00:00:00+00:00"),
        (
            {
                "action": "convert",
                "date": "31.12.2026 23:59",
                "read_format": "%d.%m.%Y %H:%M",
                "time_zone": "Asia/Tokyo",
            },
            "2026-12-31T23:59:00+09:00",
        ),
        ({"action": "add", "date": "2026-01-31", "amount": 1, "unit": "months"}, "2026-02-28T00:00:00+00:00"),
        ({"action": "add", "date": "2024-02-29", "amount": -1, "unit": "years"}, "2023-02-28T00:00:00+00:00"),
        (
            {
                "action": "add",
                "date": "2026-03-28T02:30",
                "amount": 1,
                "unit": "days",
                "time_zone": "Europe/Berlin",
            },
            "2026-03-29T03:30:00+02:00",
        ),
        (
            {
                "action": "add",
                "date": "2026-03-28T12:00",
                "amount": 24,
                "unit": "hours",
                "time_zone": "Europe/Berlin",
            },
            "2026-03-29T13:00:00+02:00",
        ),
        (
            {
                "action": "add",
                "date": "2026-03-28T12:00",
                "amount": 1,
                "unit": "days",
                "time_zone": "Europe/Berlin",
            },
            "2026-03-29T12:00:00+02:00",
        ),
        ({"action": "add", "date": "2026-03-28", "amount": 0.5, "unit": "days"}, "2026-03-28T12:00:00+00:00"),
        ({"action": "start_of", "date": "2026-04-01T10:00", "unit": "weeks"}, "2026-03-30T00:00:00+00:00"),
        (
            {"action": "start_of", "date": "2026-04-17T10:01:02.5", "unit": "months"},
            "2026-04-01T00:00:00+00:00",
        ),
        ({"action": "end_of", "date": "2024-02-10", "unit": "months"}, "2024-02-29T23:59:59.999999+00:00"),
        (
            {"action": "end_of", "date": "2026-03-29T01:00", "unit": "days", "time_zone": "Europe/Berlin"},
            "2026-03-29T23:59:59.999999+02:00",
        ),
        ({"action": "difference", "date": "2026-01-31", "other_date": "2026-03-30", "unit": "months"}, 1),
        (
            {
                "action": "difference",
                "date": "2026-03-29",
                "other_date": "2026-03-30",
                "unit": "hours",
                "time_zone": "Europe/Berlin",
            },
            23,
        ),
        ({"action": "difference", "date": "2026-03-30T01:04:04.75Z", "unit": "seconds"}, 0.5),
        ({"action": "difference", "date": "2026-03-31", "other_date": "2026-03-30", "unit": "days"}, -1),
    ],
)
async def test_dates_are_worked_out(run, clock, config, expected) -> None:
    clock.ms = NOW
    assert await result(run, config) == expected


async def test_a_date_tells_its_unix_time_too(run, clock) -> None:
    clock.ms = NOW
    assert (await run("date_time", {}, {"a": 1})).outputs["success"].data["unix_ms"] == NOW


@pytest.mark.parametrize(
    "config",
    [
        {"action": "convert", "date": "tomorrow"},
        {"action": "convert", "date": "1", "read_format": "%Y-%m"},
        {"action": "add", "date": "9999-12-31", "amount": 1, "unit": "days"},
        {"action": "add", "amount": 1e9, "unit": "years"},
        {"action": "add", "amount": 0.5, "unit": "months"},
        {"action": "convert", "date": 1e18},
        {"action": "convert", "date": [1]},
    ],
)
async def test_dates_that_cannot_be_fail_the_step(run, config) -> None:
    with pytest.raises(FloworkError, match="The date"):
        await run("date_time", config)


@given(
    st.datetimes(datetime.fromisoformat("1980-01-01"), datetime.fromisoformat("2060-01-01")),
    st.sampled_from(["hours", "days", "weeks", "months", "years"]),
)
def test_a_moment_is_inside_the_unit_it_is_in(naive: datetime, unit) -> None:
    zone = zone_of("America/New_York")
    moment = naive.replace(tzinfo=UTC).astimezone(zone)
    first, last = bound(moment, unit, end=False), bound(moment, unit, end=True)
    assert first.astimezone(UTC) <= moment.astimezone(UTC) <= last.astimezone(UTC)
    assert read(moment.isoformat(), "", zone).astimezone(UTC) == moment.astimezone(UTC)
    assert difference(moment, add(moment, 3, "hours"), "minutes") == 180


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc/passwd", "/etc/localtime", "", "America"])
def test_time_zones_that_are_none_are_refused(registry, zone: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find("date_time").parse_config({"time_zone": zone})
    assert caught.value.errors()[0]["loc"] == ("time_zone",)
