"""What a run that ended gave: for callers of webhooks that wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core_engine.kernel.ports import Registry
from core_engine.storage import EngineStore
from core_engine.workflow.archive import Archive
from core_engine.workflow.failures import mask_value
from core_engine.workflow.library import Library

RESPONSE = "webhook_response"
"""Id of the component that sets a webhook's answer, and the member of its data that holds it."""


class Secrets(Protocol):
    """Who knows what must not be shown."""

    def secrets(self) -> Sequence[str]:
        """Return the texts to be masked."""
        ...


class Rooms(Protocol):
    """The parts of the engine that a result needs."""

    @property
    def registry(self) -> Registry:
        """The components."""
        ...

    @property
    def variables(self) -> Secrets:
        """The variables."""
        ...


@dataclass(frozen=True, slots=True)
class RunResult:
    """The end of a run. ``result`` is what its last nodes gave: of one its data, of several by node id.

    ``response`` is what a `webhook_response` node gave, the last one in the workflow that ran.
    """

    status: str
    error: str | None
    result: Any
    response: dict[str, Any] | None


class RunResults:
    """Reads results from the journal; the values of secret variables are masked in them."""

    def __init__(self, store: EngineStore, rooms: Rooms) -> None:
        self._archive = Archive(store, Library(rooms.registry))
        self._variables = rooms.variables

    async def read(self, run_id: str) -> RunResult:
        """Return the result of a run; raises NOT_FOUND or JOURNAL_CORRUPT."""
        return await asyncio.to_thread(self._read, run_id)

    def _read(self, run_id: str) -> RunResult:
        run, state = self._archive.load_state(run_id)
        graph = state.graph
        response, last = None, {}
        for node in graph.nodes:
            given = state.result(node.id)
            if given is None:
                continue
            if node.module_id == RESPONSE and isinstance(given["data"], dict):
                response = given["data"].get(RESPONSE)
            if not graph.outgoing[node.index]:
                last[node.id] = given["data"]
        result = next(iter(last.values())) if len(last) == 1 else last
        hidden = self._variables.secrets()
        return RunResult(
            run.row.status, run.row.error, mask_value(result, hidden), mask_value(response, hidden)
        )
