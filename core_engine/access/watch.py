"""Sees to it that open connections are told nothing beyond the end of the right by which they were."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PAUSE_SECONDS = 1.0


class AccessWatch:
    """Has the doors look at their connections: when it is asked to, and again and again, for rights end with time."""

    def __init__(self, *doors: Callable[[], None]) -> None:
        self._doors = doors

    def enforce(self) -> None:
        """Have every door end what may not go on."""
        for enforce_access in self._doors:
            enforce_access()

    async def run(self) -> None:
        """Look until this is cancelled."""
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            self.enforce()
