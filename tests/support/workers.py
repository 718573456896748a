"""Worker processes for tests, and a web server whose doors count who comes and let nobody through before time."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from aiohttp import web

from tests.support.platform import ROOT, wait_for

SECRET = "a secret of a test's engine and workers"


@dataclass
class Worker:
    """A running `flowork worker` and its log."""

    popen: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def name(self) -> str:
        return self.text().split("flowork worker ", 1)[1].split()[0]

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            assert self.popen.poll() is None, self.text()
            return "the worker listens" in self.text()

        wait_for(ready, "the worker to be ready", 150)

    def processes(self) -> list[psutil.Process]:
        """Every process of the worker but its supervisor."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(self.popen.pid).children(recursive=True)
        return []

    def consumer(self) -> psutil.Process:
        """Celery's main process."""
        return psutil.Process(self.popen.pid).children()[0]

    def kill(self) -> None:
        """End all of it as a power cut does."""
        doomed = self.processes()
        self.popen.kill()
        for process in doomed:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.popen.wait(10)

    def stop(self, seconds: float = 40) -> int:
        """End it politely; return its exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(seconds)


@contextmanager
def worker(
    folder: Path, environment: Mapping[str, str], *, module: str = "core_engine.workers", **more: str
) -> Iterator[Worker]:
    """Run a worker; what is left of it at the end is killed."""
    log = folder / f"worker-{os.urandom(3).hex()}.log"
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with log.open("wb") as out:
        popen = subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            env={**base, "PYTHONPATH": str(ROOT), **environment, **more},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    made = Worker(popen, log)
    try:
        yield made
    finally:
        made.kill()


@dataclass
class Doors:
    """A web server: a request for ``/name`` counts, and is answered when the door of that name is open."""

    port: int = 0
    came: Counter[str] = field(default_factory=Counter)
    pids: dict[str, list[int]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    asks_who: bool = True
    """Whether it looks for the process of each visitor, which takes a while on a machine that has many."""

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def close(self, name: str) -> None:
        self.closed.add(name)

    async def open(self, name: str) -> None:
        async with self.changed:
            self.closed.discard(name)
            self.changed.notify_all()

    async def until(self, name: str, times: int = 1, seconds: float = 60) -> None:
        """Wait until somebody has come so often."""
        async with asyncio.timeout(seconds), self.changed:
            await self.changed.wait_for(lambda: self.came[name] >= times)

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path.strip("/")
        port = request.transport.get_extra_info("peername")[1]
        async with self.changed:
            pid = await asyncio.to_thread(_owner_of, port) if self.asks_who else 0
            self.pids.setdefault(name, []).append(pid)
            self.keys.setdefault(name, []).append(request.headers.get("Idempotency-Key", ""))
            self.came[name] += 1
            self.changed.notify_all()
            await self.changed.wait_for(lambda: name not in self.closed)
        return web.json_response({"door": name})


def _owner_of(port: int) -> int:
    """Return the process whose end of a connection has this port."""
    for connection in psutil.net_connections("tcp"):
        if connection.laddr and connection.laddr.port == port and connection.pid:
            return connection.pid
    return 0


@asynccontextmanager
async def doors() -> AsyncIterator[Doors]:
    made = Doors()
    app = web.Application()
    app.router.add_route("*", "/{name}", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        for name in list(made.closed):
            await made.open(name)
        await runner.cleanup()


def step(doors: Doors, name: str, **more: Any) -> dict[str, Any]:
    """A step that goes through a door; ``method`` GET may be repeated after a crash, POST not."""
    settings = {"url": doors.url(name), "method": more.pop("method", "GET"), "timeout_seconds": 100}
    settings["retry_attempts"] = 0
    return {"id": name, "name": name, "module_id": "http_request", "config_values": settings, **more}


def chain(*nodes: dict[str, Any], **flow: Any) -> dict[str, Any]:
    """A workflow of one step after the other."""
    edges = [
        {"id": f"e{number}", "source": first["id"], "target": second["id"], "source_port_name": "success"}
        for number, (first, second) in enumerate(itertools.pairwise(nodes))
    ]
    return {"nodes": list(nodes), "connections": edges, "settings": {"flow": flow} if flow else {}}


Probe = Callable[[], bool]


async def until(probe: Probe, what: str, seconds: float = 60) -> None:
    """Poll on the event loop until the probe is true."""
    async with asyncio.timeout(seconds):
        while not probe():  # noqa: ASYNC110 - states of other processes give no event
            await asyncio.sleep(0.02)
    assert probe(), what
