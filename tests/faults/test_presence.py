"""An engine and a gateway as they are shipped, between which the line fails: what pages are told, what is done."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import socketio

from shared.ids import new_id
from tests.core_engine.engine import chain
from tests.gateway.support import Gateway, Peer
from tests.gateway.support import gui as open_page
from tests.support.cut_wire import CutWire, cut_wire
from tests.support.platform import Platform, Service

TIMEOUT = 6.0
FLAPS = 6


class Line:
    """A platform whose engine reaches its gateway over a wire that can be cut."""

    def __init__(self, folder: Path) -> None:
        self.platform = Platform(folder, {"GATEWAY_ENGINE_TIMEOUT_SECONDS": str(TIMEOUT)})
        self.platform.start_gateway()
        self.platform.register_engine()

    def connect(self, wire: CutWire) -> None:
        self.wire = wire
        self.platform.environment["GATEWAY_URL"] = f"http://127.0.0.1:{wire.port}"
        self.engine: Service = self.platform.start_engine()
        self.platform.wait_online()


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    made = Line(tmp_path_factory.mktemp("line"))
    try:
        with cut_wire("127.0.0.1", made.platform.gateway_port) as wire:
            made.connect(wire)
            yield made
    finally:
        made.platform.close()


@asynccontextmanager
async def page(platform: Platform) -> AsyncIterator[Peer]:
    async with open_page(Gateway(platform.gateway_url, platform.folder), platform.owner) as opened:
        yield opened


def statuses(opened: Peer) -> list[str]:
    """What the page was told of the engine, in order."""
    return [data["status"] for event, data in opened.seen if event == "engine_status_update"]


async def until(probe: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(60):
        while not probe():  # noqa: ASYNC110 - of other processes
            await asyncio.sleep(0.02)
    assert probe(), what


def seen(opened: Peer, job_id: str, status: str) -> bool:
    return any(
        event == "WORKFLOW_EXECUTION_UPDATE"
        and data["job_id"] == job_id
        and data["status_data"]["status"] == status
        for event, data in opened.seen
    )


async def start(opened: Peer, job_id: str) -> None:
    """Start a run as a page does that insists: the same start, until it was taken."""
    payload = {"type": "execute_workflow", "job_id": job_id, "workflow_data": chain(1)}
    async with asyncio.timeout(60):
        while True:
            answer: dict[str, Any] = {}
            with suppress(socketio.exceptions.TimeoutError):
                answer = await opened.call("execute_workflow", {"v": 2, "payload": payload})
            if answer.get("ok"):
                return
            await asyncio.sleep(0.1)


async def test_a_link_that_flaps_starts_each_run_once_and_does_not_flicker(line: Line) -> None:
    """F18, F22."""
    async with page(line.platform) as opened:
        jobs = [new_id() for _ in range(FLAPS)]
        for job_id in jobs:
            starting = asyncio.create_task(start(opened, job_id), name="a start")
            await asyncio.sleep(0.02)
            line.wire.cut()
            await starting
        for job_id in jobs:
            await until(lambda job_id=job_id: seen(opened, job_id, "SUCCEEDED"), "the end of every run")
        await until(lambda: line.platform.engine_state() == "online", "the engine to be back")
        told = statuses(opened)
    assert told.count("offline") <= 2
    assert told[-1] == "online"
    ends = [
        data["job_id"]
        for event, data in opened.seen
        if event == "NODE_METRIC_UPDATE" and data["metric"]["status"] == "SUCCESS"
    ]
    assert {job_id: len({n for n in ends if n == job_id}) for job_id in jobs} == dict.fromkeys(jobs, 1)


async def test_an_engine_that_stands_still_for_a_while_stays_online_and_one_that_does_not_come_back_is_shown_offline(
    line: Line,
) -> None:
    """F16, F20: a third of the time-out is nothing; after the whole of it pages are told, and again at the return."""
    async with page(line.platform) as opened:
        await until(lambda: "online" in statuses(opened) or bool(opened.seen), "the first state")
        before = len(statuses(opened))
        line.engine.popen.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(TIMEOUT / 3)  # the stall itself
            line.engine.popen.send_signal(signal.SIGCONT)
            await opened.next("engine_vitals_update")
            assert line.platform.engine_state() == "online"
            assert "offline" not in statuses(opened)[before:]
            line.engine.popen.send_signal(signal.SIGSTOP)
            frozen = time.monotonic()
            await until(lambda: statuses(opened)[before:] == ["offline"], "the page to be told")
            assert time.monotonic() - frozen > TIMEOUT / 2
            assert await asyncio.to_thread(line.platform.engine_state) == "offline"
        finally:
            line.engine.popen.send_signal(signal.SIGCONT)
        await until(lambda: statuses(opened)[before:][-1] == "online", "the page to be told again")
        job_id = new_id()
        await start(opened, job_id)
        await until(lambda: seen(opened, job_id, "SUCCEEDED"), "a run after that")
