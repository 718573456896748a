"""What clients of the soak have done, the workflows they start, and the outside world that counts what arrives."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

FINAL = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})
KINDS = ("pure", "nap", "read", "write", "loop")


@dataclass
class World:
    """A web server outside of the platform. ``hits`` counts requests by path."""

    port: int = 0
    hits: Counter[str] = field(default_factory=Counter)

    def url(self, job_id: str) -> str:
        return f"http://127.0.0.1:{self.port}/{job_id}"

    async def answer(self, request: web.Request) -> web.Response:
        self.hits[request.path.strip("/")] += 1
        await asyncio.sleep(0.05)
        return web.json_response({"done": True})


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    made = World()
    app = web.Application()
    app.router.add_route("*", "/{job_id}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()


@dataclass
class Try:
    """One time that a start was asked for, in monotonic seconds; ``how`` tells why it came to nothing."""

    begun: float
    sent: float | None = None
    ended: float | None = None
    how: str = ""

    @property
    def told(self) -> str:
        """How it ended, and whether the start had left by then."""
        return f"{'asked' if self.sent else 'not asked'}: {self.how}"


@dataclass
class Started:
    """A run that a client started. ``acked`` and ``ended`` are monotonic seconds at which it heard so.

    Of one that was not acknowledged nobody knows yet whether it runs; ``tries`` are how often it was asked for.
    """

    job_id: str
    kind: str
    workflow: dict[str, Any]
    begun: float
    acked: float | None = None
    ended: float | None = None
    status: str = ""
    tries: list[Try] = field(default_factory=list)
    effect: str = ""
    """What its effect is counted under, where that is not the run's id."""


@dataclass
class Book:
    """Every run that was started, and what was refused for a reason that may not be."""

    runs: list[Started] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def acknowledged(self) -> list[Started]:
        return [run for run in self.runs if run.acked is not None]

    @property
    def unacknowledged(self) -> list[Started]:
        return [run for run in self.runs if run.acked is None]


def _node(name: str, module: str, **config: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "module_id": module, "config_values": config}


def _data(name: str) -> dict[str, Any]:
    return _node(name, "static_data_provider_module", variables_to_set=[{"name": name, "value": "x" * 50}])


def workflow(kind: str, url: str, rng: random.Random) -> dict[str, Any]:
    """Return a workflow of one of `KINDS`; ``read`` may be repeated after a crash, ``write`` must not."""
    nodes = [_data("first")]
    match kind:
        case "pure":
            nodes.append(_data("second"))
        case "nap":
            nodes.append(_node("nap", "delay", seconds=round(rng.uniform(0.1, 1.0), 2)))
        case "read" | "write":
            method = "GET" if kind == "read" else "POST"
            asked = {"url": url, "method": method, "timeout_seconds": 30, "retry_attempts": 0}
            nodes.append(_node("ask", "http_request", **asked))
        case "loop":
            nodes.append(_node("each", "for_each", items=[1, 2, 3], parallel=2))
    nodes.append(_data("last"))
    edges = [
        {"id": f"e{number}", "source": nodes[number]["id"], "target": nodes[number + 1]["id"]}
        for number in range(len(nodes) - 1)
    ]
    if kind == "loop":
        nodes.append(_data("inside") | {"parent_id": "each"})
    return {"nodes": nodes, "connections": edges}
