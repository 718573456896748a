"""What an evaluation of a query may still cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[[Any, "Meter"], Any]
"""A part of a compiled query: finds something in a value."""

FUEL = 1_000_000
"""Steps one evaluation may take, counting every element of every list it makes: a fraction of a second."""

SIZED = (list, str)
"""What costs as much as it is long."""


class QueryError(ValueError):
    """A query is not valid, asks for too much, or does not fit the data it meets."""


class Meter:
    """What one evaluation may still cost: ``left`` of `FUEL`. What may run often sees to it that it is looked at."""

    left = FUEL

    def charge(self, cost: int) -> None:
        """Take from what is left; raises QueryError when that is not enough."""
        self.left -= cost
        if self.left < 0:
            raise QueryError("it takes too many steps on this data")

    def visit(self, run: Run, value: Any) -> Any:
        """Evaluate ``&expression`` for one element; the library's functions call it."""
        return run(value, self)
