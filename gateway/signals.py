"""What one green thread waits for until another one lets it go on: without locks, and few timers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any


class Soon:
    """Calls functions in the event loop's next turn, in their order, by one timer for all of them."""

    def __init__(self, hub: Callable[[], Any]) -> None:
        self._hub = hub
        self._due: deque[Callable[[], None]] = deque()

    def call(self, function: Callable[[], None]) -> None:
        """Call a function soon."""
        if not self._due:
            self._hub().schedule_call_global(0, self._call_all)
        self._due.append(function)

    def _call_all(self) -> None:
        due, self._due = self._due, deque()
        try:
            while due:
                due.popleft()()
        finally:  # one that raises, which the event loop bears, holds up none of the others
            for function in due:
                self.call(function)


def signal_class(hub: Callable[[], Any], current: Callable[[], Any]) -> type:
    """Return a class like `threading.Event` for green threads; ``hub`` and ``current`` are eventlet's."""
    soon = Soon(hub)

    class Signal:
        __slots__ = ("_is_set", "_waiter")

        def __init__(self) -> None:
            self._is_set = False
            self._waiter: Any = None

        def is_set(self) -> bool:
            return self._is_set

        def set(self) -> None:
            self._is_set = True
            if self._waiter is not None:
                soon.call(self._wake)

        def wait(self, timeout: float | None = None) -> bool:
            if self._is_set:
                return True
            self._waiter = current()
            timer = None if timeout is None else hub().schedule_call_global(timeout, self._wake)
            try:
                hub().switch()
            finally:
                self._waiter = None
                if timer is not None:
                    timer.cancel()
            return self._is_set

        def _wake(self) -> None:
            if self._waiter is not None:
                self._waiter.switch()

    return Signal
