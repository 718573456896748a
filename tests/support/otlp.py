"""A collector of OpenTelemetry's traces: a real HTTP server that keeps the spans it is sent, as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Collecting:
    """What was sent; a span has its service's name as ``service``. A ``status`` other than 200 refuses."""

    url: str = ""
    status: int = 200
    spans: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.json()
        (resource,) = body["resourceSpans"]
        self.headers.append(dict(request.headers))
        if self.status == 200:
            service = facts(resource["resource"])["service.name"]
            for span in resource["scopeSpans"][0]["spans"]:
                if span["spanId"] not in {known["spanId"] for known in self.spans}:
                    self.spans.append({**span, "service": service})
        self.came.set()
        return web.json_response({}, status=self.status)

    async def until(self, *services: str, seconds: float = 60) -> None:
        """Wait until each of these services has sent a span."""
        async with asyncio.timeout(seconds):
            while not set(services) <= {span["service"] for span in self.spans}:
                self.came.clear()
                await self.came.wait()

    def of(self, service: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["service"] == service]


def facts(described: dict[str, Any]) -> dict[str, str]:
    """Return the attributes of a span or a resource."""
    return {item["key"]: next(iter(item["value"].values())) for item in described["attributes"]}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collecting]:
    collector, app = Collecting(), web.Application()
    app.router.add_post("/otlp/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}/otlp/"
        yield collector
    finally:
        await runner.cleanup()
