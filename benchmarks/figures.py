"""What a benchmark returns, and how the results are judged, printed and kept."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "latest.json"
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One measured line: ``figure`` against ``reference`` in ``unit``; ``ratio`` has to reach ``goal``.

    ``at_least`` says which way: a rate has to be at least its goal, a time or a size at most.
    """

    id: str
    work: str
    unit: str
    figure: float
    reference: float
    against: str
    goal: float
    at_least: bool = True

    @property
    def ratio(self) -> float:
        """The figure in units of what it is compared with."""
        return self.figure / self.reference

    @property
    def passed(self) -> bool:
        """Whether the goal is met."""
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal


def median_of(measure: Callable[[], float]) -> float:
    """Measure a few times and return the median: one busy moment of the machine does not count."""
    return statistics.median(measure() for _ in range(ROUNDS))


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| # | work | figure | compared with | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        sign = "≥" if row.at_least else "≤"
        lines.append(
            f"| {row.id} | {row.work} | {row.figure:,.4g} {row.unit} | {row.against}: {row.reference:,.4g} "
            f"| {row.ratio:.2f} | {sign} {row.goal:g} | {'met' if row.passed else 'missed'} |"
        )
    return "\n".join(lines)


def keep(rows: list[Row]) -> None:
    """Write the rows to `RESULTS`."""
    RESULTS.parent.mkdir(exist_ok=True)
    facts = {"python": platform.python_version(), "machine": platform.machine(), "at": int(time.time())}
    shown = [asdict(row) | {"ratio": round(row.ratio, 4), "passed": row.passed} for row in rows]
    RESULTS.write_text(json.dumps({"machine": facts, "rows": shown}, indent=2) + "\n")
