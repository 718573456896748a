"""How a measured line is judged and shown."""

from __future__ import annotations

import pytest

from benchmarks.figures import MissingError, Row, Scale, beside, percentile, row_of, table

RATE = Row("B1", "commands", "/s", 90.0, 100.0, "loop", 0.85)
TIME = Row("B10", "start", "s", 1.6, 1.5, "goal", 1.0, at_least=False)
BROKEN = Row("B3", "runs", error="it was not done\nafter | 9 s")


def test_a_rate_has_to_reach_its_goal_and_a_time_to_stay_below() -> None:
    assert RATE.passed
    assert not TIME.passed
    assert Row("B10", "start", "s", 1.5, 1.5, "goal", 1.0, at_least=False).passed


def test_a_row_without_a_figure_has_not_passed() -> None:
    assert not BROKEN.passed
    assert BROKEN.verdict == "FAILED"
    assert Row("B4", "p50", "ms", 9.0, 3.0, "peer", 0.0, at_least=False).passed  # for information


def test_the_table_says_what_was_missed_and_what_failed() -> None:
    lines = table([RATE, TIME, BROKEN]).splitlines()
    assert lines[2] == "| B1 | commands | 90 /s | loop: 100 | 0.90 | ≥ 0.85 | met |"
    assert lines[3].endswith("| 1.07 | ≤ 1 | missed |")
    assert lines[4] == "| B3 | runs | it was not done after ¦ 9 s | | | | FAILED |"


def test_a_missing_peer_is_said_beside_our_own_figure() -> None:
    row = beside(RATE, MissingError("no npm here"))
    assert (row.error, row.verdict) == ("90 /s; no npm here", "not measured")
    assert beside(RATE, 200.0).ratio == 0.45


def test_rows_come_back_from_what_was_kept() -> None:
    row = Row("B4", "p99", "ms", 1.0, 2.0, "peer", 1.0, at_least=False, note="x", series={"ours": [1.0, 2.0]})
    assert [row_of(each.as_dict()) for each in (row, BROKEN)] == [row, BROKEN]


def test_a_quick_look_is_an_eighth_once() -> None:
    assert (Scale().rounds, Scale().of(800)) == (3, 800)
    assert (Scale(quick=True).rounds, Scale(quick=True).of(800), Scale(quick=True).of(3)) == (1, 100, 1)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 51.0), (0.99, 100.0), (1.0, 100.0)])
def test_percentiles_are_of_the_ordered_values(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


def test_what_is_compared_takes_turns() -> None:
    """A slow minute meets both sides, and one bad round counts for neither."""
    seen: list[str] = []
    figures = {"ours": iter((5.0, 50.0, 6.0, 1.0, 7.0)), "peer": iter((10.0, 11.0, 1.0, 90.0, 9.0))}

    def measure(name: str) -> float:
        seen.append(name)
        return next(figures[name])

    found = Scale().medians({"ours": lambda: measure("ours"), "peer": lambda: measure("peer")})
    assert (found, seen) == ({"ours": 6.0, "peer": 10.0}, ["ours", "peer"] * 5)
