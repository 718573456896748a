"""docs/attack-matrix.md: which attacks are tried, by which tests."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

FILENAME = "docs/attack-matrix.md"
SOURCE = Path(__file__).resolve().parents[2] / "tests" / "attacks" / "matrix.toml"

_HEAD = """# Attack matrix

Generated from `tests/attacks/matrix.toml`. Each row is an attack that broke products like this one, and the tests
that try it in every run of `make test`; an attack counts as refused only while they pass. What no test tries is said
so. [Security](security.md) explains the mechanisms.

| row | attack | result | tests |
|---|---|---|---|
"""


def rows() -> dict[str, dict[str, Any]]:
    """Return the rows by their ids."""
    return tomllib.loads(SOURCE.read_text())


def make() -> str:
    """Return the page."""
    return _HEAD + "".join(_line(name, row) for name, row in rows().items())


def _line(name: str, row: dict[str, Any]) -> str:
    tests = "<br>".join(f"`{test}`" for test in row.get("tests", ()))
    return f"| {name} | {row['attack']} | {_result(row)} | {tests} |\n"


def _result(row: dict[str, Any]) -> str:
    if absent := row.get("absent"):
        return f"not here yet: {absent}"
    left = row.get("left", "")
    if not row.get("tests"):
        return f"not tried: {left}"
    return f"refused; not tried: {left}" if left else "refused"
