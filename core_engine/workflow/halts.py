"""Where data stops on its way: breakpoints on connections, and what waits at them."""

from __future__ import annotations

from collections.abc import Collection

from core_engine.workflow import records as r


class Halts:
    """The breakpoints of a run, by connection number.

    ``held`` are the connections at which data waits, in the order in which it came, each with whether that was
    announced. While ``stepping``, data stops at every connection.
    """

    __slots__ = ("active", "edges", "held", "stepping")

    def __init__(self) -> None:
        self.edges: frozenset[int] = frozenset()
        self.held: dict[int, bool] = {}
        self.stepping = False
        self.active = False

    def set(self, edges: Collection[int]) -> None:
        """Have data stop at these connections from now on; what waits already goes on waiting."""
        self.edges = frozenset(edges)
        self.active = bool(self.edges) or self.stepping

    def stops(self, edge: int) -> bool:
        """Tell whether data stops at a connection that it reaches now, and hold it there."""
        if not (self.stepping or edge in self.edges):
            return False
        self.held[edge] = False
        return True

    def release(self, record: r.BreakpointsPassed) -> list[int]:
        """Let data go on; return the connections along which it does."""
        self.stepping = record.step
        self.active = bool(self.edges) or self.stepping
        return [edge for edge in record.edges if self.held.pop(edge, None) is not None]
