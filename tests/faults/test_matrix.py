"""The failure matrix names tests that exist, and says of every row where it stands."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.faults.measures import MEASURES
from tools.generate.reliability_page import measured, result, rows

ROOT = Path(__file__).resolve().parents[2]
ROWS = rows()
SETUPS = {"embedded", "workers", "any"}


@cache
def names_in(module: str) -> frozenset[str]:
    tree = ast.parse((ROOT / module).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_every_row_of_the_catalogue_is_there() -> None:
    assert list(ROWS) == [f"F{number:02d}" for number in range(1, 49)]


@pytest.mark.parametrize("name", ROWS)
def test_a_row_names_its_tests_or_says_why_it_has_none(name: str) -> None:
    row = ROWS[name]
    assert all(row[part] for part in ("where", "failure", "promise", "setups"))
    assert set(row["setups"]) <= SETUPS
    assert row.get("tests") or row.get("left")
    for test in row.get("tests", ()):
        module, _, function = test.partition("::")
        assert function.startswith("test_"), test
        assert function in names_in(module), test


def test_what_was_measured_belongs_to_a_row_and_its_set_ups() -> None:
    figures = measured()
    assert figures.pop("date")
    assert figures.pop("machine")
    assert figures
    for name, taken in figures.items():
        assert set(taken) <= SETUPS, name
        assert all(0 <= seconds < 600 for seconds in taken.values()), name
        assert name in ROWS


def test_a_measured_time_above_the_promised_one_is_not_called_kept() -> None:
    row = {"tests": ["tests/a.py::test_b"], "within": 10}
    assert result(row, {}) == "kept"
    assert result(row, {"embedded": 10.0}) == "kept, in time too"
    assert result(row, {"embedded": 10.01}).startswith("**in time: not kept**")
    both = result(row | {"left": "the rest"}, {"embedded": 3.0, "workers": 21.0})
    assert "(workers: more than 10 s)" in both
    assert both.endswith("; not tried or not kept: the rest")
    assert result({"left": "no way"}, {"any": 1.0}) == "not tried: no way"


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_a_time_for_each_of_its_set_ups_or_says_why_it_has_none(name: str) -> None:
    row, timed = ROWS[name], {each.shown_as for each in MEASURES if each.row == name}
    assert timed == (set() if row.get("untimed") else set(row["setups"]))
    assert set(measured().get(name, {})) == timed, "measure it: python -m tests.faults"


@pytest.mark.parametrize("name", ROWS)
def test_a_promised_time_is_one_that_figures_are_held_to(name: str) -> None:
    row, taken = ROWS[name], measured().get(name, {})
    promised = re.search(r"within \d+ s", row["promise"])
    if "within" in row:
        assert f" {row['within']} s" in row["promise"]
    elif taken:
        assert promised is None, "say in `within` what its figures are held to"
