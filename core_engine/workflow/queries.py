"""JMESPath with a meter: a query can neither take the event loop for long nor blow its answer up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser

from core_engine.workflow.query_code import compile_tree
from core_engine.workflow.query_meter import FUEL, Meter, QueryError

__all__ = ["FUEL", "MAX_COPIES", "Query", "QueryError"]

MAX_COPIES = 500
"""How many times a query may repeat what it was given: `[@,@]|[@,@]` is small to hold and huge to write down."""

_ADDING = frozenset(
    {
        "multi_select_list",
        "multi_select_dict",
        "function_expression",
        "or_expression",
        "and_expression",
        "comparator",
    }
)


class Query:
    """A compiled query; raises QueryError when the text is none or could repeat its input too often.

    ``roots`` are the members of what is searched that it can see; None: all of them.
    """

    __slots__ = ("_fixed", "_run", "roots")

    def __init__(self, text: str) -> None:
        try:
            tree = Parser().parse(text).parsed
            copies = _copies(tree)
            self._run, self._fixed = compile_tree(tree)
            self.roots = visible_members(tree)
        except (JMESPathError, RecursionError) as error:
            problem = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise QueryError(problem) from error
        if copies > MAX_COPIES:
            raise QueryError(f"it could repeat its input more than {MAX_COPIES} times")

    def search(self, value: Any) -> Any:
        """Return what the query finds; raises QueryError."""
        meter = Meter()
        try:
            found = self._run(value, meter)
        except (JMESPathError, TypeError, ArithmeticError, RecursionError) as error:
            raise QueryError(str(error)) from error
        if meter.left < self._fixed:
            meter.charge(self._fixed)  # which refuses it
        return found


def _copies(node: dict[str, Any]) -> int:
    """Return an upper bound of how often a query's answer can contain the same part of its input."""
    counts = [_copies(child) for child in node["children"] if isinstance(child, dict)]
    if node["type"] in _ADDING:
        return max(sum(counts), 1)
    product = 1
    for count in counts:
        product *= count
        if product > MAX_COPIES:
            break
    return product


_FIRST_ONLY = frozenset(
    {
        "subexpression", "index_expression", "pipe", "projection", "value_projection", "filter_projection", "flatten",
    }
)  # fmt: skip
"""Nodes of which only the first child looks at what the node itself looks at."""


def visible_members(tree: dict[str, Any]) -> frozenset[str] | None:
    """Return the members of what is searched that a query can see; None: it can see the whole of it."""
    names = set(_roots(tree))
    return None if None in names else frozenset(name for name in names if name is not None)


def _roots(node: dict[str, Any]) -> Iterator[str | None]:
    """Yield the members of the searched value that a query can see, None when it can see the value itself."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind in {"current", "identity"}:
        yield None
    elif kind not in {"index", "slice", "literal"}:  # these see no member
        for child in children[:1] if kind in _FIRST_ONLY else children:
            yield from _roots(child)
