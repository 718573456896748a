"""The attack matrix names tests that exist, and says of every row where it stands."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tools.generate.attack_page import rows

ROOT = Path(__file__).resolve().parents[2]
ROWS = rows()


@cache
def names_in(module: str) -> frozenset[str]:
    tree = ast.parse((ROOT / module).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def test_every_row_of_the_catalogue_is_there() -> None:
    assert list(ROWS) == [f"A{number:02d}" for number in range(1, 129)]


@pytest.mark.parametrize("name", ROWS)
def test_a_row_names_its_tests_or_says_why_it_has_none(name: str) -> None:
    row = ROWS[name]
    assert row["attack"]
    assert bool(row.get("tests")) is not bool(row.get("absent")) or row.get("left")
    for test in row.get("tests", ()):
        module, _, function = test.partition("::")
        assert function in names_in(module), test


def test_the_threat_model_names_rows_that_something_tries() -> None:
    model = (ROOT / "docs" / "security.md").read_text().partition("## Threat model")[2].partition("\n## ")[0]
    named = set()
    for first, last in re.findall(r"A(\d+)(?:-A(\d+))?", model):
        named |= {f"A{number:02d}" for number in range(int(first), int(last or first) + 1)}
    assert len(named) > 80
    assert [name for name in sorted(named) if ROWS[name].get("absent")] == []
    assert [name for name in sorted(named) if not ROWS[name].get("tests")] == []
