"""B7: thousands of engines and pages connected to one gateway worker, each engine telling how busy it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
import time
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import uvloop

from benchmarks.b05_gateway_rest import registration
from benchmarks.figures import Row, Scale, percentile
from benchmarks.http_load import closed_loop
from benchmarks.servers import gateway
from benchmarks.sio_wire import Namespace
from benchmarks.sockets import engine_link, page, vitals
from shared.signing.keys import WalletKey

WORK = "2,000 engines and 2,000 pages, vitals every 10 s"
DEADLINE_SECONDS = 150
ENGINES = 2000
VITALS_SECONDS = 10.0
TURNS = 2
AT_ONCE = 32
GOAL_MS, GOAL_KB = 250.0, 60.0
LATE_SECONDS = 10.0


def measure(scale: Scale) -> list[Row]:
    """Return drops, the 99th percentile of the way of vitals, and the memory that each socket takes."""
    count = scale.of(ENGINES)
    with tempfile.TemporaryDirectory() as name, gateway(Path(name)) as at:
        crowd = Crowd(at["url"], at["process"])
        uvloop.run(crowd.live(count))
    work = WORK if not scale.quick else f"{count} engines and {count} pages, vitals every 10 s"
    told = len(crowd.seconds)
    expected = crowd.sent
    p99 = 1000 * percentile(crowd.seconds, 0.99)
    kept = 2 * count - crowd.gone
    return [
        Row("B7", f"{work}: sockets that stay", "", kept, 2 * count, "connected", 1.0),
        Row("B7", "vitals that arrive", "", told, expected, "sent", 1.0),
        Row("B7", "p99 from engine to page", "ms", p99, GOAL_MS, "goal", 1.0, at_least=False),
        Row("B7", "memory for each socket", "kB", crowd.kilobytes, GOAL_KB, "goal", 1.0, at_least=False),
    ]


@dataclass
class Crowd:
    """All the sockets; ``seconds`` are the ways of the vitals that arrived, ``gone`` the sockets that were lost."""

    url: str
    process: int
    seconds: list[float] = field(default_factory=list)
    sent: int = 0
    gone: int = 0
    kilobytes: float = 0.0
    _since: dict[str, float] = field(default_factory=dict)

    async def live(self, count: int) -> None:
        """Connect everybody, have every engine tell its vitals a few times, and look what became of them."""
        owners = [WalletKey(place.to_bytes(32, "big")) for place in range(1, count + 1)]
        requests = [
            registration(self.url, owner, json.dumps({"name": "Engine"}).encode()) for owner in owners
        ]
        told = await closed_loop(
            self.url, requests, 1
        )  # one connection: the answers come in the order of the owners
        engines = [(made["id"], made["raw_token"]) for made in map(json.loads, told.bodies)]
        before = self._memory()
        now_ms = time.time_ns() // 1_000_000
        links = await some_at_a_time(engine_link(self.url, *each, ignore) for each in engines)
        pages = await some_at_a_time(page(self.url, owner, self._came, now_ms=now_ms) for owner in owners)
        self.kilobytes = (self._memory() - before) / 1000 / (2 * count)
        for _ in range(TURNS):
            await self._turn([engine_id for engine_id, _ in engines], links)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LATE_SECONDS):
                while self._since:  # noqa: ASYNC110 - the last vitals are under way; a late one is counted as lost
                    await asyncio.sleep(0.05)
        self.gone = sum(each.socket.gone.done() for each in (*links, *pages))
        for each in (*links, *pages):
            each.socket.close()

    async def _turn(self, engines: list[str], links: list[Namespace]) -> None:
        """Spread the vitals of all engines over the time between two."""
        started = time.perf_counter()
        for place, (engine_id, link) in enumerate(zip(engines, links, strict=True)):
            due = started + VITALS_SECONDS * place / len(links)
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            self._since[engine_id] = time.perf_counter()
            self.sent += 1
            link.emit("engine_vitals_update", vitals(engine_id, 12.5))
        await asyncio.sleep(max(0.0, started + VITALS_SECONDS - time.perf_counter()))

    def _came(self, _page: Namespace, event: str, data: Any, _number: str) -> None:
        if event == "engine_vitals_update" and data["vitals"]["cpu_percent"] == 12.5:
            since = self._since.pop(data["engine_id"], None)
            if since is not None:
                self.seconds.append(time.perf_counter() - since)

    def _memory(self) -> int:
        """Return the resident bytes of the gateway's processes."""
        main = psutil.Process(self.process)
        return sum(int(each.memory_info().rss) for each in (main, *main.children(recursive=True)))


def ignore(_link: Namespace, _event: str, _data: Any, _number: str) -> None:
    """Take note of nothing."""


async def some_at_a_time(connecting: Iterable[Awaitable[Namespace]]) -> list[Namespace]:
    """Wait for connections, a few under way at a time, as people come; return them in their order."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(each: Awaitable[Namespace]) -> Namespace:
        async with room:
            return await each

    return await asyncio.gather(*map(one, connecting))
