"""Events for steps that wait for them: by name from other runs, by token from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from core_engine.storage import EngineStore, EventWaitRow
from core_engine.storage.event_waits import EventWaitTable
from core_engine.workflow.run import LiveRun
from shared.errors import ErrorCode, FloworkError

_PORTION = 64


class Events:
    """Finds the steps that an event is for; ``fetch`` brings a run into memory.

    The table only says where to look: whether a step still waits is known by its run.
    """

    def __init__(self, store: EngineStore, fetch: Callable[[str], Awaitable[LiveRun | None]]) -> None:
        self._table = EventWaitTable(store.reads)
        self._fetch = fetch

    async def publish(self, name: str, correlation: str, data: Any) -> int:
        """End every wait for the event; return how many, once all is on the disk."""
        count, after = 0, ""
        while name:
            rows = await asyncio.to_thread(self._table.of_event, name, correlation, after, _PORTION)
            for row in rows:
                count += await self._end(row, data)
            if len(rows) < _PORTION:
                break
            after = rows[-1].token
        return count

    async def resume(self, token: str, data: Any) -> str:
        """End the wait of a token; return its run's id. NOT_FOUND for an unknown token or an ended wait."""
        row = await asyncio.to_thread(self._table.of_token, token)
        if row is None or not await self._end(row, data):
            raise FloworkError(ErrorCode.NOT_FOUND, "Nothing waits for this.")
        return row.run_id

    async def _end(self, row: EventWaitRow, data: Any) -> bool:
        run = await self._fetch(row.run_id)
        if run is None or not run.take_event(row.node, row.wait_id, data):
            return False
        await run.stored()
        return True
