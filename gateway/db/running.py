"""How what waits for the disk is run, and waited for, so that the rest of the process goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

ValueT = TypeVar("ValueT")


class Run(Protocol):
    """Runs a function somewhere and returns what it returned."""

    def __call__(self, function: Callable[[], ValueT], /) -> ValueT:
        """Wait for the function's end."""
        ...


class Signal(Protocol):
    """What one thread, or green thread, waits for; `threading.Event` is one."""

    def set(self) -> None:
        """Let it go on, now or when it will wait."""
        ...

    def wait(self) -> object:
        """Wait until it is set."""
        ...


def directly(function: Callable[[], ValueT], /) -> ValueT:
    """Run it here: on threads the others go on anyway."""
    return function()
