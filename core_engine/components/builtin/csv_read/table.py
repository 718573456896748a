"""CSV text to records: pure calculation."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from core_engine.components.records import fail
from shared.errors import ErrorCode, FloworkError

_MOST_COLUMNS = 2000
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})", re.ASCII)
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,15}(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_WORDS = {"": None, "true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Form:
    """How a table is written: signs (none: found out, or no quotation marks), names, and limits."""

    delimiter: str | None
    quote: str | None
    header: bool
    columns: tuple[str, ...]
    guess: bool
    cut: bool
    skip: int
    most: int


def read_table(text: str, how: Form) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the columns and the records; raises COMPONENT_FAILED naming the line, or TOO_LARGE."""
    rows = _rows(text.removeprefix("\ufeff"), how)
    first = next(rows, (0, []))
    columns = list(how.columns) or (_names(first[1]) if how.header else [])
    body = rows if how.header else _chain(first, rows)
    records: list[dict[str, Any]] = []
    for line, row in body:
        if not columns:
            columns = [f"column_{number}" for number in range(1, len(row) + 1)]
        if len(row) > len(columns) and not how.cut:
            raise fail(f"Line {line} has {len(row)} values, but there are {len(columns)} columns.")
        if len(records) == how.most:
            raise FloworkError(ErrorCode.TOO_LARGE, f"The table has more than {how.most} rows.")
        records.append(_record(columns, [guessed(value) for value in row] if how.guess else row))
    return columns, records


def guessed(value: str) -> Any:
    """Return the number, boolean or none that a text spells; other texts as they are."""
    stripped = value.strip()
    if _INTEGER.fullmatch(stripped):
        return int(stripped)
    if _DECIMAL.fullmatch(stripped):
        return float(stripped)
    return _WORDS.get(stripped.lower(), value)


def _rows(text: str, how: Form) -> Iterator[tuple[int, list[str]]]:
    lines = islice(io.StringIO(text, newline=""), how.skip, None)
    top = next(lines, "")
    reader = csv.reader(
        _chain(top, lines), delimiter=how.delimiter or _likely_delimiter(top), quotechar=how.quote, strict=True,
        quoting=csv.QUOTE_MINIMAL if how.quote else csv.QUOTE_NONE,
    )  # fmt: skip
    try:
        for row in reader:
            if len(row) > _MOST_COLUMNS:
                raise FloworkError(ErrorCode.TOO_LARGE, f"A row has more than {_MOST_COLUMNS} values.")
            if row:  # an empty line is no row
                yield reader.line_num + how.skip, row
    except csv.Error as error:
        raise fail(f"Line {reader.line_num + how.skip} is not CSV: {error}.") from error


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    if first and first != (0, []):
        yield first
    yield from rest


def _likely_delimiter(line: str) -> str:
    return max(",;\t|", key=line.count)


def _names(row: list[str]) -> list[str]:
    """Return the names of columns: empty ones get a number, equal ones too."""
    names: list[str] = []
    used: set[str] = set()
    for number, cell in enumerate(row, start=1):
        base = name = cell.strip() or f"column_{number}"
        again = 1
        while name in used:
            again += 1
            name = f"{base}_{again}"
        used.add(name)
        names.append(name)
    return names


def _record(columns: list[str], row: list[Any]) -> dict[str, Any]:
    record: dict[str, Any] = dict.fromkeys(columns)
    record.update(zip(columns, row, strict=False))
    return record
