"""docs/properties.md: what must always hold, which tests look for a case where it does not, and how far they go."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

FILENAME = "docs/properties.md"
ROOT_FOLDER = Path(__file__).resolve().parents[2]
SOURCE = ROOT_FOLDER / "tests" / "properties" / "matrix.toml"

_HEAD = """# Properties, simulation and fuzzing

Generated from `tests/properties/matrix.toml`. A property holds for every input and every course of events; its tests
make many up and look for one where it does not. P rows are properties, Z rows are fuzz targets, L rows are about load.
"In CI" is how far each run of `make test` goes. By hand a row goes on for as long as you like, with new random cases:

```
python -m tests.properties P1 --minutes 30
```

What it finds is printed with the way to see it again (`SIM_SEED=… pytest …` for the simulation, Hypothesis's own report
for the rest) and becomes a test of its own once it is mended.

**The simulation** (`tests/simulation`) is the product's own code on an event loop whose time is a number. Each seed
makes up workflows, the order in which whatever is ready runs, and faults: crashes before any callback and around any
commit, disks that are slow, full or broken, clocks that jump, tickets and answers that are lost, repeated or late. When
the faults are over everything has to come to its end. Each commit is tried with seeds of its own (`TEST_SEED`), besides
a list of those that are always tried.

**Crash and fault points** (`tests/faults/test_disk_points.py`): a small library between the engine and its disk numbers
every write, sync, cut and rename of a session, and kills the process at one of them, or lets it fail; `make points`
does so at each. Without a C compiler these tests are skipped and say so.

| row | what holds | tests | in CI | not covered |
|---|---|---|---|---|
"""


def rows() -> dict[str, dict[str, Any]]:
    """Return the rows by their ids."""
    return tomllib.loads(SOURCE.read_text())


def make() -> str:
    """Return the page."""
    return _HEAD + "".join(_line(name, row) for name, row in rows().items())


def _line(name: str, row: dict[str, Any]) -> str:
    tests = "<br>".join(f"`{test}`" for test in row.get("tests", ()))
    left = row.get("left") or row.get("absent") or ""
    return f"| {name} | {row['holds']} | {tests} | {row.get('ci', '')} | {left} |\n"
