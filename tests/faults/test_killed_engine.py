"""SIGKILL of the engine process as it is shipped: under load, while it tidies up, and of a backup beside it."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from core_engine.storage import EngineStore
from flowork.deployment import restore
from shared.ids import new_id
from tests.core_engine.engine import ENGINE_ID, OWNER
from tests.faults.tidier import RUNS
from tests.soak.chaos import Act, Chaos, Crew
from tests.soak.clients import LOST, SocketClient
from tests.soak.fuse import MOST_CUT_OFF, rightly_given_up
from tests.soak.verdict import Judge
from tests.soak.work import Book, Started, workflow, world
from tests.support.platform import ROOT, Platform

CLIENTS = 16
KILLS = MOST_CUT_OFF


def lonely(folder: Path) -> Platform:
    """An engine without a gateway."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {"GATEWAY_URL": "", "ENGINE_HTTP_PRIVATE_NETWORKS": "127.0.0.0/8"}
    return Platform(folder, environment, OWNER, engine_id=ENGINE_ID)


async def until_begun(watcher: SocketClient, run: Started, attempt: int) -> None:
    """Wait until the engine carries out that attempt of a run's nap."""
    while True:
        try:
            answer = await watcher.details(run.job_id)
            nodes = {node["node_id"]: node for node in answer.get("nodes", [])}
            if nodes and nodes["nap"]["attempts"] == attempt and nodes["nap"]["status"] == "RUNNING":
                return
        except LOST:
            await watcher.hang_up()
        await asyncio.sleep(0.05)


@pytest.mark.timeout(400)
async def test_killed_under_load_every_start_is_carried_out_once(tmp_path: Path) -> None:
    """F01, F02, F03, F05: whatever the kill cut off, the same start sent again is one run.

    One step runs at each kill, so it is given up in the end; another may be as unlucky by chance.
    """
    rng, book = random.Random(9), Book()
    platform = lonely(tmp_path)
    crew = Crew(platform, None, await asyncio.to_thread(platform.start_engine))  # type: ignore[arg-type]
    chaos, enough = Chaos(crew, rng, 1), asyncio.Event()
    try:
        async with world() as outside:
            clients = [
                SocketClient(platform, outside, book, random.Random(n), think=0.1) for n in range(CLIENTS)
            ]
            load = [asyncio.create_task(client.live(enough), name="client") for client in clients]
            unlucky, watcher = (SocketClient(platform, outside, book, rng, think=0.1) for _ in range(2))
            nap = workflow("nap", "", rng)
            nap["nodes"][1]["config_values"]["seconds"] = 3600
            victim = Started(new_id(), "nap", nap, time.monotonic())
            book.runs.append(victim)
            load.append(asyncio.create_task(unlucky.carry_through(victim), name="unlucky"))
            for number in range(KILLS):
                already = len(book.acknowledged)
                async with asyncio.timeout(90):
                    await until_begun(watcher, victim, number + 1)
                    while len(book.acknowledged) < already + 30 + number:  # noqa: ASYNC110 - of many clients
                        await asyncio.sleep(0.005)
                begun = time.monotonic()
                await asyncio.to_thread(crew.restart_engine)
                chaos.acts.append(Act("kill engine", begun, time.monotonic()))
            enough.set()
            await asyncio.gather(*load)
            judge = Judge(platform, outside, book, chaos)
            await judge.judge()
            await watcher.hang_up()  # the last kill took its connection along
            history = await watcher.history(victim.job_id)
            await watcher.hang_up()
            await unlucky.hang_up()
    finally:
        await asyncio.to_thread(platform.close)
    assert judge.faults == []
    assert judge.ends["FAILED"] >= 1
    epoch = time.time() - time.monotonic()
    assert rightly_given_up(history, chaos.acts, epoch)
    assert not rightly_given_up(history, chaos.acts[1:], epoch), "each time must be a kill of its own"
    assert sum(judge.ends.values()) == len(book.runs), "each start was heard of to its end"
    assert {run.kind for run in book.runs} == {"pure", "nap", "read", "write", "loop"}


def test_killed_while_it_deletes_history_the_journal_is_whole(tmp_path: Path) -> None:
    """F08."""
    rng = random.Random(8)
    for number in range(3):
        folder = tmp_path / str(number)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.tidier", str(folder)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"deleting\n"
        time.sleep(rng.uniform(0, 0.06))
        process.kill()
        process.wait(30)
        process.stdout.close()
        with closing(sqlite3.connect(folder / "engine.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        store = EngineStore.open(folder)
        left = 0
        for run in range(1, RUNS + 1):
            journal = store.archive.journal(f"run-{run}")
            if journal is not None:
                left += 1
                assert journal.segments == [(1, b"[]")], run
        wanted = {name for (name,) in store.reads.query("SELECT name FROM blob")}
        assert set(store.blobs.names()) == wanted, "no file is missing, and none is left over"
        assert len(wanted) >= left
        store.close()


def test_a_backup_that_is_killed_leaves_no_file_of_its_name(tmp_path: Path) -> None:
    """F08."""
    data, archive = tmp_path / "data", tmp_path / "backup.tar.gz"
    (data / "engine").mkdir(parents=True)
    with closing(sqlite3.connect(data / "engine" / "engine.db")) as database, database:
        database.execute("CREATE TABLE run (body BLOB)")
        body = random.Random(1).randbytes(1_000_000)
        database.executemany("INSERT INTO run VALUES (?)", [(body,)] * 40)
    environment = {"FLOWORK_DATA_DIR": str(data), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "flowork", "backup", "create", str(archive)]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
    while not any(path.name.startswith(".backup-") for path in tmp_path.iterdir()):
        assert process.poll() is None, "it was killed too late"
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert not archive.exists()
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
    assert restore.verify(archive).entries
