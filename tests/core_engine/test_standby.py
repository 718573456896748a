"""Engine processes on one PostgreSQL database: one works, one stands by; killed, frozen, cut off, they lose nothing."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest

from core_engine.app import running, serve
from core_engine.kernel.ports import StartRun
from core_engine.settings import EngineSettings
from core_engine.storage.opening import open_store
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.engine import OWNER, settings, waiting
from tests.core_engine.test_app import ROOT, Process, environment, process
from tests.core_engine.test_takeover import begun, ended
from tests.support.cut_wire import cut_wire
from tests.support.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as made:
        yield made


@pytest.fixture
def shared(server: PostgresServer, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """What all processes of the test's engine are told."""
    return {
        "DATABASE_URL": server.url.replace("postgresql://", "postgresql+psycopg://"),
        "ENGINE_DATABASE_SCHEMA": f"t_{zlib.crc32(request.node.name.encode()):x}",
        "ENGINE_LEASE_SECONDS": "2",
        "ENGINE_MASTER_KEY": "1" * 64,
        "ENGINE_SIGNING_KEY": "2" * 64,
    }


class Waiter(Process):
    """A process that stands by: it has no address until its turn comes."""

    def __init__(self, folder: Path, **extra: str) -> None:
        folder.mkdir()
        self.log = folder / "engine.log"
        self.file = folder / "engine" / "address.json"
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "core_engine"], cwd=ROOT, env=environment(folder, **extra), stderr=log
            )
        self.until(lambda: "stands by" in self.log.read_text())

    def until(self, condition) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def works(self) -> Waiter:
        self.until(self.file.exists)
        self.address = json.loads(self.file.read_text())
        return self


@contextmanager
def waiter(folder: Path, **extra: str) -> Iterator[Waiter]:
    made = Waiter(folder, **extra)
    try:
        yield made
    finally:
        if made.popen.poll() is None:
            made.popen.kill()
            made.popen.wait(20)


def health(of: Waiter, path: str) -> tuple[int, str, str]:
    found = re.search(r"shows its health.*(http://[0-9.]+:\d+)", of.log.read_text())
    assert found is not None, of.log.read_text()
    answer = httpx.get(found[1] + path, timeout=30)
    return answer.status_code, answer.json()["status"], answer.json()["role"]


def begins(shared: dict[str, str], job_id: str) -> int:
    """Return how many of a run's steps were begun, over all processes."""
    url = shared["DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url) as link:
        schema = shared["ENGINE_DATABASE_SCHEMA"]
        rows = link.execute(
            f"SELECT s.body FROM {schema}.segment s JOIN {schema}.run r ON s.key >> 24 = r.number WHERE r.id = %s",
            (job_id,),
        ).fetchall()
    records = [record for (body,) in rows for record in json.loads(body)]
    return sum(record[0] == "started" for record in records)


@pytest.mark.timeout(300)
def test_frozen_killed_cut_off_a_run_goes_on_in_the_next_process(
    tmp_path: Path, server: PostgresServer, shared: dict[str, str]
):
    with (
        cut_wire(server.host, server.port) as wire,
        process(tmp_path / "a", **shared) as first,
        waiter(tmp_path / "b", **shared) as second,
    ):
        begun(first, "handed-on", steps=5)
        assert not second.file.exists()
        assert health(second, "/healthz") == (200, "alive", "standby")
        assert health(second, "/readyz") == (503, "standby", "standby")
        first.popen.send_signal(signal.SIGSTOP)
        second.works()
        first.popen.send_signal(signal.SIGCONT)
        assert first.popen.wait(60) == 70, "its place is taken, so it writes nothing and ends"
        assert "took its runs over" in first.log.read_text()
        through_the_wire = {"DATABASE_URL": replace(server, port=wire.port).url}
        with waiter(tmp_path / "c", **(shared | through_the_wire)) as third:
            second.popen.kill()
            third.works()
            wire.down()
            time.sleep(3)  # the outage itself: longer than the lease
            wire.up()
            assert ended(third, "handed-on") == ["SUCCESS"] * 5
            assert begins(shared, "handed-on") <= 5 + 2, (
                "each step once, and again what was under way at a take-over"
            )
            assert third.end()[0] == 0
    assert not list(tmp_path.glob("*/engine/engine.db")), "no files beside the database"


def given(folder: Path, shared: dict[str, str]) -> EngineSettings:
    return settings(folder, **shared)


async def test_an_orderly_end_hands_over_at_once(tmp_path: Path, shared: dict[str, str]):
    shared |= {"ENGINE_LEASE_SECONDS": "30"}
    second_works, end = asyncio.Event(), asyncio.Event()

    async def second() -> None:
        async with running(given(tmp_path / "b", shared)) as engine:
            second_works.set()
            assert engine.runs.open_runs == 1
            await end.wait()

    async with running(given(tmp_path / "a", shared)) as engine:
        await engine.runs.start(StartRun(run_id="moved", workflow_data=waiting(), started_by=OWNER.address))
        other = asyncio.create_task(second())
        stop = asyncio.Event()
        third = asyncio.create_task(serve(given(tmp_path / "c", shared), stop))
        with pytest.raises(FloworkError) as caught:
            await asyncio.wait_for(serve(given(tmp_path / "a", shared), stop), 30)
        assert caught.value.code is ErrorCode.CONFIGURATION, "one process for each data folder"
        stop.set()
        await asyncio.wait_for(third, 30)
        assert not second_works.is_set()
    await asyncio.wait_for(second_works.wait(), 60)
    end.set()
    await asyncio.wait_for(other, 60)


async def refused(folder: Path, given_: dict[str, str]) -> str:
    with pytest.raises(FloworkError) as caught:
        async with running(given(folder, given_)):
            pass
    assert caught.value.code is ErrorCode.CONFIGURATION
    return caught.value.message


async def test_processes_with_different_keys_do_not_come_up(tmp_path: Path, shared: dict[str, str]):
    keys = ("ENGINE_SIGNING_KEY", "ENGINE_MASTER_KEY")
    async with running(given(tmp_path / "a", shared)):
        for name in keys:
            message = await asyncio.wait_for(refused(tmp_path / "b", shared | {name: "3" * 64}), 60)
            assert name in message, "said at the start, not when its turn comes"
    for name in keys:
        assert name in await refused(tmp_path / "b", shared | {name: "3" * 64})


async def test_what_makes_no_start_possible_is_said(tmp_path: Path, shared: dict[str, str]):
    nowhere = {"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/none"}
    assert "DATABASE_URL" in await refused(tmp_path, shared | nowhere)
    assert "ENGINE_SIGNING_KEY" in await refused(tmp_path, shared | {"ENGINE_SIGNING_KEY": "short"})
    alone = {"ENGINE_STORAGE": "files", "ENGINE_FRONTS": "on"}
    assert "ENGINE_FRONTS" in await refused(tmp_path, shared | alone)


@pytest.mark.parametrize("extra", [{"ENGINE_STORAGE": "files"}, {"DATABASE_URL": "sqlite:///elsewhere.db"}])
def test_other_databases_and_the_wish_for_files_keep_the_files(
    tmp_path: Path, shared: dict[str, str], extra: dict[str, str]
):
    store = open_store(given(tmp_path, shared | extra))
    store.close()
    assert (tmp_path / "engine" / "engine.db").exists()
    assert store.leads
