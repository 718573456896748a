"""When something is due, also where the clocks are changed."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest

from core_engine.components.times import Timetable, expanded, parse_moment


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def after(table: Timetable, text: str, count: int = 3) -> list[str]:
    moments = islice(table.after(ms(text)), count)
    return [datetime.fromtimestamp(moment / 1000, UTC).isoformat()[:16] for moment in moments]


def test_a_time_that_the_spring_skips_comes_right_after() -> None:
    table = Timetable("30 2 * * *", "Europe/Berlin")
    assert after(table, "2024-03-29T12:00:00+00:00") == [
        "2024-03-30T01:30",
        "2024-03-31T01:00",
        "2024-04-01T00:30",
    ]


def test_a_time_that_the_autumn_repeats_comes_once() -> None:
    table = Timetable("30 2 * * *", "Europe/Berlin")
    assert after(table, "2024-10-26T12:00:00+00:00") == [
        "2024-10-27T00:30",
        "2024-10-28T01:30",
        "2024-10-29T01:30",
    ]


def test_every_half_hour_goes_on_through_both_changes() -> None:
    table = Timetable("*/30 * * * *", "America/New_York")
    for begin in ("2024-03-10T05:00:00+00:00", "2024-11-03T04:00:00+00:00"):
        moments = list(islice(table.after(ms(begin)), 12))
        assert {later - sooner for sooner, later in pairwise(moments)} == {1_800_000}


@pytest.mark.parametrize(
    "cron", ["30 2 * * *", "0 */2 * * *", "15 1,2,3 * * *", "*/20 * * * *", "0 30 2 * * *"]
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Jakarta"])
def test_going_on_from_any_moment_gives_the_same_times(cron: str, zone: str) -> None:
    table = Timetable(cron, zone)
    for year_month in ((2024, 3), (2024, 10), (2024, 11)):
        begin = round(datetime(*year_month, 1, tzinfo=ZoneInfo(zone)).timestamp() * 1000)
        moments = list(islice(table.after(begin), 400))
        assert moments == sorted(set(moments))
        assert all(table.first_after(one) == two for one, two in pairwise(moments))


def test_seconds_aliases_intervals_and_single_times() -> None:
    assert after(Timetable("*/20 * * * * *"), "2024-01-01T00:00:05+00:00", 4)[-1] == "2024-01-01T00:01"
    assert expanded("@daily") == "0 0 * * *"
    every = Timetable(interval_ms=1000, anchor_ms=500)
    assert list(islice(every.after(500), 2)) == [1500, 2500]
    assert list(islice(every.after(1499), 2)) == [1500, 2500]
    assert list(islice(every.after(-5000), 1)) == [1500]
    assert Timetable(at_ms=5).first_after(4) == 5
    assert Timetable(at_ms=5).first_after(5) is None
    assert Timetable().first_after(0) is None
    assert parse_moment("2024-06-01T12:00", "Asia/Jakarta") == ms("2024-06-01T05:00:00+00:00")


@pytest.mark.parametrize("cron", ["", "* * *", "61 * * * *", "0 0 31 2 *", "@reboot", "x", "* " * 200])
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match="cron expression"):
        expanded(cron)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", ""])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        parse_moment("2024-06-01T12:00", zone)
