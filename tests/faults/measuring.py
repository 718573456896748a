"""The failures whose end can be timed, each on a platform of real processes."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from shared.ids import new_id
from tests.core_engine.engine import chain as steps
from tests.faults.asking import ask_once
from tests.soak.chaos import Crew
from tests.support.redis import redis_server
from tests.support.workers import Doors, chain, step

OPEN_RUNS = 20


@dataclass(frozen=True)
class Site:
    """Where a failure is caused: the processes, and the outside world."""

    crew: Crew
    doors: Doors

    async def ask(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        platform = self.crew.platform
        return await asyncio.to_thread(
            ask_once, platform.socket_url, kind, key=platform.owner, engine_id=platform.engine_id, **fields
        )

    async def start(self, workflow: dict[str, Any]) -> str:
        job_id = new_id()
        answer = await self.ask("execute_workflow", job_id=job_id, workflow_data=workflow)
        assert answer["type"] == "workflow_status_update", answer
        return job_id

    async def until_ended(self, job_id: str) -> None:
        async with asyncio.timeout(180):
            while True:
                answer = await self.ask("get_run", job_id=job_id)
                if answer["run"]["status"] == "SUCCEEDED":
                    return
                assert answer["run"]["status"] == "RUNNING", answer
                await asyncio.sleep(0.05)

    async def until_shown(self, state: str) -> None:
        async with asyncio.timeout(180):
            while await asyncio.to_thread(self.crew.platform.engine_state) != state:  # noqa: ASYNC110 - of REST
                await asyncio.sleep(0.05)


async def killed_engine(site: Site) -> float:
    """F03: from the kill to the next sign of life of every run that was open."""
    names = [f"open-{new_id()}" for _ in range(OPEN_RUNS)]
    for name in names:
        site.doors.close(name)
    runs = [await site.start(chain(step(site.doors, name))) for name in names]
    for name in names[:2]:
        await site.doors.until(name)
    begun = time.monotonic()
    await asyncio.to_thread(site.crew.restart_engine)
    for name in names:
        await site.doors.open(name)
    await asyncio.gather(*map(site.until_ended, runs))
    return time.monotonic() - begun


async def start_sent_again(site: Site) -> float:
    """F02: from the kill of an engine that acknowledged a start to its next process's answer to the same start."""
    job_id, workflow = new_id(), steps(2, "delay", seconds=0.5)
    for _ in range(2):
        answer = await site.ask("execute_workflow", job_id=job_id, workflow_data=workflow)
        assert answer["type"] == "workflow_status_update", answer
    begun = time.monotonic()
    await asyncio.to_thread(site.crew.restart_engine)
    answer = await site.ask("execute_workflow", job_id=job_id, workflow_data=workflow)
    assert answer["job_id"] == job_id, answer
    return time.monotonic() - begun


async def second_engine(site: Site) -> float:
    """F14: from the start of a second engine on the same data to its end."""
    begun = time.monotonic()
    second = site.crew.platform.start_second_engine()
    code = await asyncio.to_thread(second.popen.wait, 180)
    taken = time.monotonic() - begun
    assert code not in {0, None}, second.log.read_text()
    assert (await site.ask("list_runs"))["type"] != "error"
    return taken


async def stopped_engine(site: Site) -> float:
    """F17: from SIGTERM in the middle of a run to the end of that run, in the next process."""
    run = await site.start(steps(3, "delay", seconds=1))
    begun = time.monotonic()
    await asyncio.to_thread(site.crew.engine.stop)
    site.crew.engine = await asyncio.to_thread(site.crew.platform.start_engine)
    await site.until_ended(run)
    return time.monotonic() - begun


async def emptied_redis(site: Site) -> float:
    """F31: from the moment an emptied Redis is there again to the start of a step that was announced before."""
    old, name = site.crew.redis, f"announced-{new_id()}"
    assert old
    for worker in site.crew.workers:
        worker.kill()
    run = await site.start(chain(step(site.doors, name)))
    os.kill(old.pid, signal.SIGKILL)
    with tempfile.TemporaryDirectory() as folder:
        fresh = redis_server(Path(folder), old.password, old.port)
        await asyncio.to_thread(fresh.__enter__)
        try:
            begun = time.monotonic()
            for number in range(len(site.crew.workers)):
                await asyncio.to_thread(site.crew.replace_worker, number)
            await site.until_ended(run)
            return time.monotonic() - begun
        finally:
            await asyncio.to_thread(fresh.__exit__, None, None, None)


async def full_disk(site: Site) -> float:
    """F10: from the moment there is room to the end of a run that waited for it."""
    pid = site.crew.engine.popen.pid
    journal = site.crew.platform.folder / "engine" / "engine.db-wal"
    run = await site.start(steps(2, "delay", seconds=0.5))
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (journal.stat().st_size, resource.RLIM_INFINITY))
    await asyncio.sleep(3)
    assert (await site.ask("get_run", job_id=run))["run"]["status"] == "RUNNING"
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    begun = time.monotonic()
    await site.until_ended(run)
    return time.monotonic() - begun


async def silent_engine(site: Site) -> float:
    """F20: from the last sign of life of an engine to its being shown as offline."""
    engine = site.crew.engine.popen
    engine.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    try:
        await site.until_shown("offline")
        return time.monotonic() - begun
    finally:
        engine.send_signal(signal.SIGCONT)
        await site.until_shown("online")


async def killed_gateway(site: Site) -> float:
    """F24: from the moment a gateway that was killed is there again to its engine being online."""
    await asyncio.to_thread(site.crew.restart_gateway)
    begun = time.monotonic()
    await site.until_shown("online")
    return time.monotonic() - begun


async def killed_worker(site: Site) -> float:
    """F36: from the kill of a worker in the middle of a step to the step's next attempt, by another one."""
    name = f"held-{new_id()}"
    site.doors.close(name)
    run = await site.start(chain(step(site.doors, name)))
    await site.doors.until(name)
    at = site.doors.pids[name][0]
    number = next(
        number
        for number, worker in enumerate(site.crew.workers)
        if at in {process.pid for process in worker.processes()}
    )
    begun = time.monotonic()
    site.crew.workers[number].kill()
    await site.doors.until(name, 2, 180)
    taken = time.monotonic() - begun
    await site.doors.open(name)
    await site.until_ended(run)
    await asyncio.to_thread(site.crew.replace_worker, number)
    return taken


async def killed_step(site: Site) -> float:
    """F04: from the kill of a step's process to its next attempt."""
    name = f"step-{new_id()}"
    site.doors.close(name)
    run = await site.start(chain(step(site.doors, name)))
    await site.doors.until(name)
    begun = time.monotonic()
    psutil.Process(site.doors.pids[name][0]).kill()
    await site.doors.until(name, 2, 180)
    taken = time.monotonic() - begun
    await site.doors.open(name)
    await site.until_ended(run)
    return taken


@dataclass(frozen=True)
class Measure:
    """One figure: the row, the set-up that it needs, and the set-up it is shown for."""

    row: str
    setup: str
    take: Callable[[Site], Awaitable[float]]
    shown_as: str


MEASURES = (
    Measure("F02", "embedded", start_sent_again, "embedded"),
    Measure("F03", "embedded", killed_engine, "embedded"),
    Measure("F10", "embedded", full_disk, "embedded"),
    Measure("F14", "embedded", second_engine, "embedded"),
    Measure("F17", "embedded", stopped_engine, "embedded"),
    Measure("F20", "embedded", silent_engine, "any"),
    Measure("F24", "embedded", killed_gateway, "any"),
    Measure("F03", "workers", killed_engine, "workers"),
    Measure("F04", "workers", killed_step, "workers"),
    Measure("F36", "workers", killed_worker, "workers"),
    Measure("F31", "workers", emptied_redis, "workers"),  # last: Redis is gone after it
)
