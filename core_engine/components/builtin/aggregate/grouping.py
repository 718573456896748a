"""One pass over records for one grouping: pure calculation."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from core_engine.components.conditions import Operator, holds, number
from core_engine.components.fields import JsonList, Part, Words

Amount = int | float


class Metric(Part):
    """A figure of each group; ``count`` counts records and needs no field."""

    op: Literal["count", "sum", "avg", "min", "max"] = "count"
    field: str = ""
    name: str = ""

    @model_validator(mode="after")
    def _field_given(self) -> Metric:
        if self.op != "count" and not self.field:
            raise ValueError(f"the metric {self.op} needs a field")
        return self

    @property
    def title(self) -> str:
        """What the figure is called in a row: its name, or such as ``count`` and ``sum_bytes``."""
        return self.name or (self.op if self.op == "count" else f"{self.op}_{self.field}")


class Filter(Part):
    """A condition a record must meet, see `core_engine.components.conditions`."""

    field: str = Field(min_length=1)
    operator: Operator = "=="
    value: Any = None


class Grouping(Part):
    """How records are grouped and what is worked out.

    Only records that meet every filter of ``where`` count. Rows are sorted by ``sort_by`` (a figure or a field;
    the first figure when empty), equal ones by their fields from small to large; the order ``seen`` leaves them
    as they first came. ``limit`` 0 keeps all rows.
    """

    name: str = Field(min_length=1, max_length=100)
    by: Words = Field(default_factory=list, max_length=10)
    where: JsonList[Filter] = Field(default_factory=list, max_length=10)
    metrics: JsonList[Metric] = Field(default_factory=lambda: [Metric()], max_length=20)
    sort_by: str = ""
    order: Literal["desc", "asc", "seen"] = "desc"
    limit: int = Field(default=0, ge=0, le=1_000_000)

    @field_validator("metrics")
    @classmethod
    def _at_least_one(cls, metrics: list[Metric]) -> list[Metric]:
        return metrics or [Metric()]

    @model_validator(mode="after")
    def _names_fit(self) -> Grouping:
        titles = [*self.by, *(metric.title for metric in self.metrics)]
        if len(titles) != len(set(titles)):
            raise ValueError(f"the grouping {self.name!r} has two columns of one name")
        if self.sort_by and self.sort_by not in titles:
            raise ValueError(f"the grouping {self.name!r} has no column {self.sort_by!r} to sort by")
        return self


def summarise(groupings: list[Grouping], records: list[dict[str, Any]]) -> dict[str, Any]:
    """Work out every grouping."""
    odd: Counter[str] = Counter()
    groups, counts = {}, {}
    for grouping in groupings:
        rows = _rows(grouping, records, odd)
        counts[grouping.name] = len(rows)
        groups[grouping.name] = rows[: grouping.limit or None]
    return {
        "groups": groups,
        "group_counts": counts,
        "record_count": len(records),
        "not_numeric": dict(sorted(odd.items())),
    }


def amount(value: Any) -> Amount | None:
    """Read a figure: a missing value, an empty text and ``-`` are 0; None is for texts that are no numbers."""
    if isinstance(value, str):
        value = value.strip()
        if value.isascii() and value.isdigit() and len(value) < 16:
            return int(value)
    if value is None or value in ("", "-"):
        return 0
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return number(value)


def _rows(grouping: Grouping, records: list[dict[str, Any]], odd: Counter[str]) -> list[dict[str, Any]]:
    by, fields = grouping.by, sorted({metric.field for metric in grouping.metrics if metric.op != "count"})
    where = grouping.where
    groups: dict[tuple[Any, ...], _Group] = {}
    if not by:
        groups[()] = _Group(fields)
    for record in records:
        if where and not all(holds(record.get(test.field), test.operator, test.value) for test in where):
            continue
        key = tuple([_scalar(record.get(name)) for name in by])
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(fields)
        group.count += 1
        for name in fields:
            value = amount(record.get(name))
            if value is None:
                odd[name] += 1
            else:
                group.fields[name].add(value)
    rows = [
        {
            **dict(zip(by, key, strict=True)),
            **{metric.title: group.figure(metric) for metric in grouping.metrics},
        }
        for key, group in groups.items()
    ]
    return _sorted(grouping, rows)


class _Figures:
    __slots__ = ("count", "largest", "smallest", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total: Amount = 0
        self.smallest: Amount | None = None
        self.largest: Amount | None = None

    def add(self, value: Amount) -> None:
        self.count += 1
        self.total += value
        if self.smallest is None or value < self.smallest:
            self.smallest = value
        if self.largest is None or value > self.largest:
            self.largest = value


class _Group:
    __slots__ = ("count", "fields")

    def __init__(self, fields: list[str]) -> None:
        self.count = 0
        self.fields = {name: _Figures() for name in fields}

    def figure(self, metric: Metric) -> Amount | None:
        if metric.op == "count":
            return self.count
        figures = self.fields[metric.field]
        if metric.op == "sum":
            return figures.total
        if metric.op == "avg":
            return figures.total / figures.count if figures.count else None
        return figures.smallest if metric.op == "min" else figures.largest


def _sorted(grouping: Grouping, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if grouping.order == "seen":
        return rows
    column = grouping.sort_by or grouping.metrics[0].title
    rows.sort(key=lambda row: [_rank(row[name]) for name in grouping.by])
    rows.sort(key=lambda row: _rank(row[column]), reverse=grouping.order == "desc")
    return rows


def _rank(value: Any) -> tuple[int, Any]:
    """Order nothing before numbers before texts."""
    if value is None:
        return (0, 0)
    return (1, value) if isinstance(value, int | float) else (2, value)


def _scalar(value: Any) -> Any:
    """Make a value fit to be a group's key."""
    if isinstance(value, str) or value is None or isinstance(value, int | float):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
