"""Lists of objects combined item by item: pure calculation."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import msgspec

from core_engine.components.records import MISSING, fail, reach


def merged(one: dict[str, Any], other: dict[str, Any], *, deep: bool) -> dict[str, Any]:
    """Return both objects as one, the other's values counting; ``deep`` merges objects inside them too."""
    if not deep:
        return {**one, **other}
    result = dict(one)
    for name, value in other.items():
        inner = result.get(name)
        both = isinstance(inner, dict) and isinstance(value, dict)
        result[name] = merged(inner, value, deep=True) if both else value  # type: ignore[arg-type]
    return result


def by_position(lists: list[list[Any]], *, keep: bool, deep: bool) -> list[dict[str, Any]]:
    """Combine the first items, the second ones and so on; ``keep`` goes on to the end of the longest list."""
    rows = zip_longest(*lists, fillvalue={}) if keep else zip(*lists, strict=False)
    return [_all(row, deep=deep) for row in rows]


def by_key(lists: list[list[Any]], key: list[str], *, keep: bool, deep: bool) -> list[dict[str, Any]]:
    """Combine items with equal keys, in the order the keys first came; ``keep`` keeps those some list lacks."""
    groups: dict[bytes, dict[str, Any]] = {}
    met: dict[bytes, set[int]] = {}
    for number, items in enumerate(lists):
        for item in items:
            mark = _mark(item, key)
            groups[mark] = _all((groups.get(mark, {}), item), deep=deep)
            met.setdefault(mark, set()).add(number)
    return [group for mark, group in groups.items() if keep or len(met[mark]) == len(lists)]


def _all(row: tuple[Any, ...], *, deep: bool) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for item in row:
        if not isinstance(item, dict):
            raise fail("Only objects can be combined; a list holds something else.")
        result = merged(result, item, deep=deep)
    return result


def _mark(item: Any, key: list[str]) -> bytes:
    values = [reach(item, part) for part in key]
    if MISSING in values:
        raise fail(f"An item has no {key[values.index(MISSING)]} to combine it by.")
    return msgspec.json.encode(values, order="sorted")
