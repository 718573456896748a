"""JMESPath with a meter: a query can neither take the event loop for long nor blow its answer up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import Parser
from jmespath.visitor import Options, TreeInterpreter
from typing_extensions import override

FUEL = 1_000_000
"""Steps one evaluation may take, counting every element of every list it makes: a fraction of a second."""

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


class QueryError(ValueError):
    """A query is not valid, asks for too much, or does not fit the data it meets."""


class Query:
    """A compiled query; raises QueryError when the text is none or could repeat its input too often."""

    def __init__(self, text: str) -> None:
        try:
            self._tree = Parser().parse(text).parsed
        except (JMESPathError, RecursionError) as error:
            problem = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise QueryError(problem) from error
        if _copies(self._tree) > MAX_COPIES:
            raise QueryError(f"it could repeat its input more than {MAX_COPIES} times")

    def search(self, value: Any) -> Any:
        """Return what the query finds; raises QueryError."""
        try:
            return _Metered(FUEL).visit(self._tree, value)
        except (JMESPathError, TypeError, ArithmeticError, RecursionError) as error:
            raise QueryError(str(error)) from error


# The library looks each kind of node up by name, anew in every evaluation; that took half of the time.
_VISITS: dict[str, Callable[..., Any]] = {
    name.removeprefix("visit_"): visit
    for name, visit in vars(TreeInterpreter).items()
    if name.startswith("visit_")
}
_OPTIONS = Options(custom_functions=Functions())
_SIZED = (list, str)


class _Metered(TreeInterpreter):  # type: ignore[misc]  # the library has no types
    def __init__(self, fuel: int) -> None:
        super().__init__(_OPTIONS)
        self._fuel = fuel

    @override
    def visit(self, node: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        kind = node["type"]
        result = _VISITS[kind](self, node, *args, **kwargs)
        self._fuel -= 1 + (len(result) if isinstance(result, _SIZED) and kind != "field" else 0)
        if self._fuel < 0:
            raise QueryError("it takes too many steps on this data")
        return result


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
