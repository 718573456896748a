"""How a measured line is judged and shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import figures
from benchmarks.figures import Row, keep, table

RATE = Row("B1", "commands", "/s", 90.0, 100.0, "loop", 0.85)
TIME = Row("B10", "start", "s", 1.6, 1.5, "goal", 1.0, at_least=False)


def test_a_rate_has_to_reach_its_goal_and_a_time_to_stay_below() -> None:
    assert RATE.passed
    assert not TIME.passed
    assert Row("B10", "start", "s", 1.5, 1.5, "goal", 1.0, at_least=False).passed


def test_the_table_says_what_was_missed() -> None:
    lines = table([RATE, TIME]).splitlines()
    assert lines[2] == "| B1 | commands | 90 /s | loop: 100 | 0.90 | ≥ 0.85 | met |"
    assert lines[3].endswith("| 1.07 | ≤ 1 | missed |")


def test_results_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "RESULTS", tmp_path / "results" / "latest.json")
    keep([RATE])
    kept = json.loads((tmp_path / "results" / "latest.json").read_text())
    assert [(row["id"], row["ratio"], row["passed"]) for row in kept["rows"]] == [("B1", 0.9, True)]
