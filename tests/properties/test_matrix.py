"""The matrix of properties names tests that exist, and says of every row how far they go or why there is none."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tools.generate.properties_page import ROOT_FOLDER, rows

ROWS = rows()


@cache
def names_in(module: str) -> frozenset[str]:
    text = (ROOT_FOLDER / module).read_text()
    if not module.endswith(".py"):
        return frozenset(line.split('"')[1] for line in text.splitlines() if line.strip().startswith("it("))
    kinds, nodes = (ast.FunctionDef, ast.AsyncFunctionDef), list(ast.walk(ast.parse(text)))
    machines = (name.id for node in nodes if isinstance(node, ast.Assign) for name in ast.walk(node.targets[0])
                if isinstance(name, ast.Name) and name.id.startswith("Test"))  # fmt: skip
    return frozenset([*(node.name for node in nodes if isinstance(node, kinds)), *machines])


def test_every_row_of_the_catalogue_is_there() -> None:
    assert list(ROWS) == [
        *(f"P{number}" for number in range(1, 21)),
        *(f"Z{number}" for number in range(1, 17)),
        *(f"L{number}" for number in range(1, 15)),
    ]


@pytest.mark.parametrize("name", ROWS)
def test_a_row_names_its_tests_and_their_bound_or_says_why_it_has_none(name: str) -> None:
    row = ROWS[name]
    assert row["holds"]
    assert bool(row.get("tests")) is bool(row.get("ci"))
    assert row.get("tests") or row.get("absent")
    for test in row.get("tests", ()):
        module, _, function = test.partition("::")
        assert function in names_in(module), test
