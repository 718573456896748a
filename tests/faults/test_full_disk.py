"""A disk without room under the engine process as it is shipped: its files may not grow for a while."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from websockets.sync.client import connect

from tests.core_engine.engine import chain
from tests.core_engine.test_app import SECRET, Process, process
from tests.faults.asking import ask


def limit(engine: Process, most: int) -> None:
    """Let no file of the process grow beyond so many bytes."""
    resource.prlimit(engine.popen.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def until(probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not probe():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def waiting_writes(engine: Process) -> float:
    text = httpx.get(f"{engine.address['http']}/metrics", headers={"X-API-Key": SECRET}).text
    return float(text.split('flowork_engine_queue{queue="journal"} ')[1].split()[0])


def test_a_full_disk_refuses_starts_and_holds_runs_until_there_is_room(tmp_path: Path) -> None:
    """F09, F10; killed while it waits for room, the engine goes on with the run where there is some."""
    slow = chain(3, "delay", seconds=0.5)
    with process(tmp_path) as engine, connect(engine.url) as client:
        started = ask(client, "execute_workflow", job_id="held", workflow_data=slow)
        assert started["status_data"]["status"] == "RUNNING"
        limit(engine, (tmp_path / "engine" / "engine.db-wal").stat().st_size)
        until(lambda: waiting_writes(engine) > 0)
        refused = ask(client, "execute_workflow", job_id="refused", workflow_data=slow)
        assert (refused["type"], refused["code"]) == ("error", "STORAGE_FULL")
        assert ask(client, "get_run", job_id="refused")["code"] == "NOT_FOUND", "nothing of it is kept"
        assert ask(client, "get_run", job_id="held")["run"]["status"] == "RUNNING"
        assert httpx.get(f"{engine.address['http']}/health").status_code == 200
        limit(engine, resource.RLIM_INFINITY)
        until(lambda: ask(client, "get_run", job_id="held")["run"]["status"] == "SUCCEEDED")
        again = ask(client, "execute_workflow", job_id="refused", workflow_data=chain(1))
        assert again["type"] == "workflow_status_update"
        held = ask(client, "get_run", job_id="held")
        assert [node["attempts"] for node in held["nodes"]] == [1, 1, 1], "no step ran twice for it"
        assert "The journal can be written again" in engine.log.read_text()
        ask(client, "execute_workflow", job_id="killed", workflow_data=slow)
        limit(engine, (tmp_path / "engine" / "engine.db-wal").stat().st_size)
        until(lambda: waiting_writes(engine) > 0)
        engine.popen.kill()
        engine.popen.wait(30)
    with process(tmp_path) as engine, connect(engine.url) as client:
        until(lambda: ask(client, "get_run", job_id="killed")["run"]["status"] == "SUCCEEDED")
