"""The failure matrix names tests that exist, and says of every row where it stands."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tools.generate.reliability_page import measured, rows

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
