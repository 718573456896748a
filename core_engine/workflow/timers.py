"""Moments of the wall clock at which something happens in a run of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from core_engine.workflow.environment import Environment
from core_engine.workflow.waits import LONGEST_NAP

Key = tuple[str, int]


class Timers:
    """Named timers; what they are for is in the journal, so they can be set anew at any time."""

    __slots__ = ("_env", "_set")

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._set: dict[Key, tuple[int, asyncio.TimerHandle]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._set

    def put(self, key: Key, due: int, action: Callable[[int], None]) -> None:
        """Call the action with the key's number at a time (Unix ms); an earlier timer of that name gives way."""
        known = self._set.get(key)
        if known and known[0] == due:
            return
        if known:
            known[1].cancel()
        self._arm(key, due, action)

    def next_due(self) -> int | None:
        """Return the first moment that is set, in Unix milliseconds."""
        return min((due for due, _ in self._set.values()), default=None)

    def clear(self) -> None:
        """Forget all."""
        for _, handle in self._set.values():
            handle.cancel()
        self._set.clear()

    def _arm(self, key: Key, due: int, action: Callable[[int], None]) -> None:
        left = max(due - self._env.clock.now_ms(), 0) / 1000
        handle = self._env.loop.call_later(min(left, LONGEST_NAP), self._look, key, due, action)
        self._set[key] = (due, handle)

    def _look(self, key: Key, due: int, action: Callable[[int], None]) -> None:
        if self._env.clock.now_ms() < due:
            self._arm(key, due, action)
        else:
            del self._set[key]
            action(key[1])
