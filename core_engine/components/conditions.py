"""How two values are compared in `if` and `switch` (protocol §5.5)."""

from __future__ import annotations

import json
import math
from typing import Any, Literal, get_args

Operator = Literal[
    "==", "!=", ">", "<", ">=", "<=", "contains", "not contains", "starts_with", "ends_with",
    "is empty", "is not empty", "is number", "is not number",
]  # fmt: skip
OPERATORS: tuple[str, ...] = get_args(Operator)


def holds(left: Any, operator: Operator, right: Any = None) -> bool:  # noqa: PLR0911 - one line per operator
    """Tell whether the comparison holds.

    ``==`` and ``!=`` read the right value as the left one's type. ``> < >= <=`` compare numbers (texts of numbers
    count) and do not hold when either side is none. Text comparisons ignore upper and lower case; ``contains``
    looks for an item in a list, for a member name in an object, for a part in a text.
    """
    if operator.startswith(("is not", "not ")):
        return not holds(left, _POSITIVE[operator], right)
    match operator:
        case "is empty":
            return left is None or left in ("", [], {})
        case "is number":
            return number(left) is not None
        case "==":
            return same(left, right)
        case "!=":
            return not same(left, right)
        case "contains":
            return _contains(left, right)
        case "starts_with":
            return text(left).casefold().startswith(text(right).casefold())
        case "ends_with":
            return text(left).casefold().endswith(text(right).casefold())
    return _compare(left, operator, right)


def number(value: Any) -> float | None:
    """Read a number or a text that spells one; None for everything else (true and false are no numbers)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def text(value: Any) -> str:
    """Return a value as text: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def same(left: Any, right: Any) -> bool:
    """Tell whether two values are equal, the right one read as the left one's type."""
    if isinstance(left, bool) or isinstance(right, bool):
        return text(left).casefold() == text(right).casefold()
    if isinstance(left, int | float):
        return number(right) == left
    if isinstance(left, str):
        return left == text(right)
    return bool(left == _parsed(right))


_POSITIVE: dict[str, Operator] = {
    "is not empty": "is empty", "is not number": "is number", "not contains": "contains",
}  # fmt: skip


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _contains(left: Any, right: Any) -> bool:
    if isinstance(left, list):
        return any(same(item, right) for item in left)
    if isinstance(left, dict):
        return text(right) in left
    return left is not None and text(right).casefold() in text(left).casefold()


def _compare(left: Any, operator: str, right: Any) -> bool:
    one, other = number(left), number(right)
    if one is None or other is None:
        return False
    return {">": one > other, "<": one < other, ">=": one >= other, "<=": one <= other}[operator]
