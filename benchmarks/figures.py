"""What a benchmark returns, and how the results are judged and shown as a table."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

ROUNDS, TURNS = 3, 5
Key = TypeVar("Key", bound=Hashable)


class MissingError(RuntimeError):
    """This machine lacks what a benchmark needs; the message says what."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: the whole work in three rounds, or with ``quick`` a part of it once, to try it out."""

    quick: bool = False

    @property
    def rounds(self) -> int:
        """How often each thing is measured; the median counts."""
        return 1 if self.quick else ROUNDS

    def of(self, whole: int) -> int:
        """Return how much of a whole work is done."""
        return max(1, whole // 8) if self.quick else whole

    def median(self, measure: Callable[[], float]) -> float:
        """Measure a few times and return the median: one busy moment of the machine does not count."""
        return statistics.median(measure() for _ in range(self.rounds))

    @property
    def turns(self) -> int:
        """How often `medians` measures each thing."""
        return 1 if self.quick else TURNS

    def medians(self, measures: Mapping[Key, Callable[[], float]]) -> dict[Key, float]:
        """Do the same for several things in turn, so that a slow minute of the machine meets all of them."""
        rounds = [{key: measure() for key, measure in measures.items()} for _ in range(self.turns)]
        return {key: statistics.median(each[key] for each in rounds) for key in measures}


@dataclass(frozen=True, slots=True)
class Row:
    """One measured line: ``figure`` against ``reference`` in ``unit``; ``ratio`` has to reach ``goal``.

    ``at_least`` says which way: a rate has to be at least its goal, a time or a size at most; a goal of 0 is none: the
    row is for information. ``error`` says why there is no figure; a row with one has not passed. ``missing`` marks
    what this machine cannot measure, such as a peer that is not installed. ``series`` are values for the plots.
    """

    id: str
    work: str
    unit: str = ""
    figure: float = 0.0
    reference: float = 0.0
    against: str = ""
    goal: float = 0.0
    at_least: bool = True
    error: str = ""
    missing: bool = False
    note: str = ""
    series: dict[str, list[float]] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """The figure in units of what it is compared with."""
        return self.figure / self.reference if self.reference else 0.0

    @property
    def passed(self) -> bool:
        """Whether the goal is met."""
        if self.error:
            return False
        if not self.goal:  # for information only
            return True
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    @property
    def verdict(self) -> str:
        """One word for the table."""
        if self.error:
            return "not measured" if self.missing else "FAILED"
        if not self.goal:
            return "-"
        return "met" if self.passed else "missed"

    def as_dict(self) -> dict[str, Any]:
        """Return the row for `results/latest.json`."""
        names = ("id", "work", "unit", "figure", "reference", "against", "goal", "at_least")
        more = ("error", "missing", "note", "series")
        shown = {name: getattr(self, name) for name in names}
        shown |= {name: getattr(self, name) for name in more if getattr(self, name)}
        return shown | {"ratio": round(self.ratio, 4), "passed": self.passed}


def row_of(shown: dict[str, Any]) -> Row:
    """Return the row that `Row.as_dict` wrote."""
    return Row(**{name: value for name, value in shown.items() if name not in {"ratio", "passed"}})


def beside(row: Row, peer: float | MissingError) -> Row:
    """Return the row with the peer's figure; without a peer it says so, and what we reached."""
    if isinstance(peer, MissingError):
        return replace(row, error=f"{number(row.figure)} {row.unit}; {peer}", missing=True)
    return replace(row, reference=peer)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share (0.99) of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(rows: list[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| # | work | figure | compared with | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        if row.error:
            lines.append(f"| {row.id} | {row.work} | {_plain(row.error)} | | | | {row.verdict} |")
            continue
        goal = f"{'≥' if row.at_least else '≤'} {row.goal:g}" if row.goal else "-"
        work = f"{row.work} ({row.note})" if row.note else row.work
        lines.append(
            f"| {row.id} | {work} | {number(row.figure)} {row.unit} | {row.against}: {number(row.reference)} "
            f"| {row.ratio:.2f} | {goal} | {row.verdict} |"
        )
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a figure with as many digits as are worth reading."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _plain(text: str) -> str:
    """Return a text fit for one cell."""
    return " ".join(text.split()).replace("|", "¦")[:300]
