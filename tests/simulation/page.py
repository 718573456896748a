"""P2: a web page behind a gateway that loses, repeats and delays; the engine's real relay session fills it."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from core_engine.gateway_link.relay_session import RelaySession
from core_engine.workflow import RunService
from shared.contract import catalog
from tests.simulation.disk import Trouble

OWNER = "0x" + "a" * 40
_FINAL = {"SUCCEEDED", "FAILED", "STOPPED"}


class Page:
    """Keeps what it is told, each event once, and notes where one is missing."""

    def __init__(self, run_id: str, rng: random.Random) -> None:
        self.run_id = run_id
        self.last = 0
        self.ended = False
        self._rng = rng
        self._gaps: list[str] = []
        self._session: RelaySession | None = None
        self._trouble: Trouble | None = None

    def open(self, runs: RunService, trouble: Trouble) -> None:
        """Come (back) to an engine's process that knows nothing of this page."""
        dispatcher: Any = SimpleNamespace(leave=lambda caller: _leave(runs, caller))
        _load_names()
        self._session = RelaySession("page-" + "0" * 16, dispatcher, runs)
        self._session.follow_again(OWNER, {self.run_id: self.last})
        self.open_again(trouble)

    def open_again(self, trouble: Trouble) -> None:
        """Tell the engine that the page is there."""
        self._trouble = trouble
        if self._session and self._session.away:
            self._session.open(self._send, 64 * 1024)
        elif self._session and trouble.on and self._rng.random() < 0.05:
            self._session.leave()

    def lose(self) -> None:
        """Hear nothing more of an engine that died."""
        self._session = None

    async def close(self) -> None:
        """Be left by an engine that ends."""
        if self._session:
            await self._session.end()

    async def _send(self, event: str, data: dict[str, Any]) -> Any:
        rng, faulty = self._rng, self._trouble is not None and self._trouble.on
        await asyncio.sleep(rng.expovariate(20))
        if faulty and rng.random() < 0.05:
            raise ConnectionError("lost on the way")
        for item in data["events"]:
            self._take(item["data"])
        if faulty and rng.random() < 0.05:
            raise ConnectionError("the receipt was lost")
        return {"ok": not faulty or rng.random() < 0.97, "room": rng.choice([0, 1, 500])}

    def _take(self, data: dict[str, Any]) -> None:
        data = data.get("payload", data) if "v" in data else data
        seq = data.get("seq", 0)
        if seq <= self.last:
            return
        if seq != self.last + 1:
            self._gaps.append(f"{self.run_id}: the page got event {seq} after {self.last}")
        self.last = seq
        self.ended = self.ended or data.get("status_data", {}).get("status") in _FINAL

    def problems(self, events: int) -> Iterator[str]:
        """Yield what is wrong after the end of the run, which had so many events."""
        yield from self._gaps
        if not self.ended:
            yield f"{self.run_id}: the page never saw the end, but {self.last} of {events} events"


@functools.cache
def _load_names() -> None:
    catalog.load()


def _leave(runs: RunService, caller: Any) -> None:
    caller.gone = True
    runs.unsubscribe(caller.follows)
