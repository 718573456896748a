"""docs/reliability.md: which failures are tried, what is promised for each, and how long recovery took."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from tools.generate import _mutants

FILENAME = "docs/reliability.md"
_FAULTS = Path(__file__).resolve().parents[2] / "tests" / "faults"
SOURCE, MEASURED = _FAULTS / "matrix.toml", _FAULTS / "measured.toml"

_HEAD = """# Reliability

Generated from `tests/faults/matrix.toml` and `tests/faults/measured.toml`. Each row is a failure, what is promised
for it, and the tests that cause it in every run of `make test`. What no test tries, or what is not kept, is said so.

The promise in one sentence: an acknowledged run is never lost, no step runs twice at the same time, a step runs again
only as its policy says, and where nobody can know whether an outside effect happened, the run says so.

Set-ups: **embedded** is the engine with its own files and its own steps; **workers** is PostgreSQL, Redis and
`flowork worker` processes; **any** does not depend on it.

`python -m tests.faults` causes the failures that have a time on the shipped processes, one after the other, and writes
down how long each took to be over. {measured} Times are what one machine showed once; no test depends on them. F01
shows how long a killed process takes to be there again, on that machine and under its load; F03, F24, F27, F31, F32 and
F33 are counted from when it is.

`make soak` runs the platform under load while its processes are killed and frozen at random: see
[below](#load-and-random-failures).

| row | where | failure | promised | set-ups | recovery | result | tests |
|---|---|---|---|---|---|---|---|
"""
_SOAK = """
## Load and random failures

`make soak` starts gateway and engine as they are shipped (with `SOAK_WORKERS=1` also PostgreSQL, Redis and two
workers), lets 200 clients start workflows for `SOAK_MINUTES` (30), over the engine's socket and through the gateway,
and kills (`SIGKILL`) or freezes (`SIGSTOP`) a process every few seconds. After that the load goes on without failures
for a while, in which memory, file descriptors, threads and tasks of each process must stay flat. In the end every run
that was ever acknowledged must be there and have ended, no step may have run more often than its policy allows, and an
unknown outcome is accepted only where a process was killed during that run, a step that was given up only where three
beginnings of it were each cut off by a kill. A start that nobody acknowledged within two minutes is not lost, its
outcome is unknown: it was asked for again under its id, and what became of it is said in the end. One that was asked
for on connections that held, and never answered, is a fault. The seed is printed first; `SOAK_SEED` repeats it.
`make test` contains a version of about a minute.

The last long run: 30 minutes, 200 clients, two workers, PostgreSQL and Redis, on two cores that other work kept
busy. 38 processes were killed and 26 frozen. All 22,149 starts were acknowledged; 22,138 runs succeeded, and 11 have an
unknown outcome, as the policy of a step that was being carried out at a kill says. In the calm descriptors, threads and
tasks of all processes stayed flat, as did the memory of gateway (99.4 to 99.6 MB) and workers (82.9 MB); the engine's
grew from 156 to 173 MB while its caches filled.
"""


def rows() -> dict[str, dict[str, Any]]:
    """Return the rows by their ids."""
    return tomllib.loads(SOURCE.read_text())


def measured() -> dict[str, Any]:
    """Return what was measured last: ``date``, ``machine``, and for each row seconds by set-up."""
    return tomllib.loads(MEASURED.read_text())


def make() -> str:
    """Return the page."""
    figures = measured()
    head = _HEAD.format(measured=f"Measured on {figures['date']} ({figures['machine']}).")
    lines = (_line(name, row, figures.get(name, {})) for name, row in rows().items())
    return head + "".join(lines) + _SOAK + _mutants.make()


def _line(name: str, row: dict[str, Any], figures: dict[str, float]) -> str:
    tests = "<br>".join(f"`{test}`" for test in row.get("tests", ()))
    taken = "<br>".join(f"{setup}: {seconds:g} s" for setup, seconds in figures.items())
    taken = taken or f"- ({row['untimed']})"
    setups = ", ".join(row["setups"])
    told = result(row, figures)
    cells = [name, row["where"], row["failure"], row["promise"], setups, taken, told, tests]
    return f"| {' | '.join(cells)} |\n"


def result(row: dict[str, Any], figures: dict[str, float]) -> str:
    """Return where a row stands: tried or not, and kept unless a measured time is above the promised one."""
    left, promised = row.get("left", ""), row.get("within")
    if not row.get("tests"):
        return f"not tried: {left}"
    late = [setup for setup, seconds in figures.items() if promised is not None and seconds > promised]
    if late:
        told = f"**in time: not kept** when it was measured ({', '.join(late)}: more than {promised:g} s); else kept"
    elif promised is not None and figures:
        told = "kept, in time too"
    else:
        told = "kept"
    return f"{told}; not tried or not kept: {left}" if left else told
