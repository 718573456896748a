"""Failures of engine, workers and steps whose end can be timed, each on a platform of real processes."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
from websockets.exceptions import WebSocketException

from shared.ids import new_id
from tests.core_engine.engine import chain as steps
from tests.faults.asking import ask_once
from tests.soak.chaos import Crew
from tests.support.workers import Doors, chain, step

OPEN_RUNS = 20


@dataclass(frozen=True)
class Site:
    """Where a failure is caused: the processes, and the outside world."""

    crew: Crew
    doors: Doors
    guests: ExitStack
    """What was started besides, to be ended after all of it."""

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

    async def until_ended(self, job_id: str, status: str = "SUCCEEDED") -> None:
        async with asyncio.timeout(180):
            while True:
                answer = await self.ask("get_run", job_id=job_id)
                if answer["run"]["status"] == status:
                    return
                assert answer["run"]["status"] == "RUNNING", answer
                await asyncio.sleep(0.05)

    async def until_shown(self, state: str) -> None:
        async with asyncio.timeout(180):
            while await asyncio.to_thread(self.crew.platform.engine_state) != state:  # noqa: ASYNC110 - of REST
                await asyncio.sleep(0.05)


async def killed_engine(site: Site) -> float:
    """F03: from the moment an engine that was killed is there again to the end of every run that was open."""
    names = [f"open-{new_id()}" for _ in range(OPEN_RUNS)]
    for name in names:
        site.doors.close(name)
    runs = [await site.start(chain(step(site.doors, name))) for name in names]
    for name in names[:2]:
        await site.doors.until(name)
    await asyncio.to_thread(site.crew.restart_engine)
    begun = time.monotonic()
    for name in names:
        await site.doors.open(name)
    for run in runs:  # one after the other: so many who ask would be what holds the engine up
        await site.until_ended(run)
    return time.monotonic() - begun


async def start_unheard(site: Site) -> float:
    """F01: from the kill to the acknowledgement of a start that is sent again and again from then on."""
    job_id, workflow = new_id(), steps(2, "delay", seconds=0.1)
    begun = time.monotonic()
    restarting = asyncio.create_task(asyncio.to_thread(site.crew.restart_engine), name="restart")
    async with asyncio.timeout(180):
        while True:
            try:
                answer = await site.ask("execute_workflow", job_id=job_id, workflow_data=workflow)
            except (OSError, TimeoutError, WebSocketException):
                await asyncio.sleep(0.05)
            else:
                break
    taken = time.monotonic() - begun
    await restarting
    assert answer["type"] == "workflow_status_update", answer
    await site.until_ended(job_id)
    return taken


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


async def killed_in_step(site: Site) -> float:
    """F04: from the kill of an engine that carries a step out to the step's next attempt."""
    name = f"step-{new_id()}"
    site.doors.close(name)
    run = await site.start(chain(step(site.doors, name)))
    await site.doors.until(name)
    begun = time.monotonic()
    await asyncio.to_thread(site.crew.restart_engine)
    await site.doors.until(name, 2, 180)
    taken = time.monotonic() - begun
    await site.doors.open(name)
    await site.until_ended(run)
    return taken


async def killed_in_stop(site: Site) -> float:
    """F07: from the kill of an engine that was just told to stop a run to the end of that run."""
    name = f"stopped-{new_id()}"
    site.doors.close(name)
    run = await site.start(chain(step(site.doors, name)))
    await site.doors.until(name)
    assert (await site.ask("stop_workflow", job_id=run))["type"] != "error"
    begun = time.monotonic()
    await asyncio.to_thread(site.crew.restart_engine)
    await site.until_ended(run, "STOPPED")
    taken = time.monotonic() - begun
    await site.doors.open(name)
    return taken


async def stopped_engine(site: Site) -> float:
    """F17: from SIGTERM in the middle of a run to the end of that run, in the next process."""
    run = await site.start(steps(3, "delay", seconds=1))
    begun = time.monotonic()
    await asyncio.to_thread(site.crew.engine.stop)
    site.crew.engine = await asyncio.to_thread(site.crew.platform.start_engine)
    await site.until_ended(run)
    return time.monotonic() - begun


async def full_disk(site: Site) -> float:
    """F10: from the moment there is room to the end of a run that waited for it."""
    run = await site.start(steps(2, "delay", seconds=0.5))
    with _no_room(site):
        await asyncio.sleep(3)
        assert (await site.ask("get_run", job_id=run))["run"]["status"] == "RUNNING"
    begun = time.monotonic()
    await site.until_ended(run)
    return time.monotonic() - begun


async def refused_start(site: Site) -> float:
    """F09: from the moment there is room to the acknowledgement of a start that was refused for want of it."""
    start = {"job_id": new_id(), "workflow_data": steps(2, "delay", seconds=0.1)}
    with _no_room(site):
        answer = await site.ask("execute_workflow", **start)
        assert answer.get("code") == "STORAGE_FULL", answer
    begun = time.monotonic()
    async with asyncio.timeout(180):
        while (answer := await site.ask("execute_workflow", **start))["type"] == "error":
            assert answer["code"] == "STORAGE_FULL", answer
    taken = time.monotonic() - begun
    await site.until_ended(start["job_id"])
    return taken


@contextmanager
def _no_room(site: Site) -> Iterator[None]:
    pid = site.crew.engine.popen.pid
    journal = site.crew.platform.folder / "engine" / "engine.db-wal"
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (journal.stat().st_size, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


async def _held(site: Site, name: str) -> tuple[str, int]:
    """Start a run whose step waits at a closed door; return its id and the step's process."""
    site.doors.asks_who = True  # only here: it takes longer than what is measured
    site.doors.close(name)
    run = await site.start(chain(step(site.doors, name)))
    await site.doors.until(name)
    site.doors.asks_who = False
    return run, site.doors.pids[name][0]


async def killed_worker(site: Site) -> float:
    """F36: from the kill of a worker in the middle of a step to the step's next attempt, by another one."""
    name = f"held-{new_id()}"
    run, at = await _held(site, name)
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
    run, at = await _held(site, name)
    begun = time.monotonic()
    psutil.Process(at).kill()
    await site.doors.until(name, 2, 180)
    taken = time.monotonic() - begun
    await site.doors.open(name)
    await site.until_ended(run)
    return taken
