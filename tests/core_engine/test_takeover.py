"""Two engine processes on one data folder: the second waits for the lock, and the first cannot come back unnoticed."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from shared.signing.envelope import seal
from tests.core_engine.engine import CLOCK, ENGINE_ID, OWNER, chain
from tests.core_engine.test_app import Process, attempt, process, start

STEPS = 3


def ask(client: ClientConnection, kind: str, job_id: str) -> dict[str, Any]:
    client.send(
        seal(OWNER, ENGINE_ID, {"type": kind, "job_id": job_id, "request_id": "r"}, now_ms=CLOCK.now_ms())
    )
    while True:
        frame: dict[str, Any] = json.loads(client.recv(20))
        if frame.get("request_id") == "r":
            return frame


def begun(engine: Process, job_id: str) -> None:
    """Start a run and wait until its first step runs."""
    with connect(engine.url) as client:
        client.send(start(job_id, chain(STEPS, "delay", seconds=0.5)))
        while json.loads(client.recv(20)).get("type") != "NODE_EXECUTION_METRIC":
            pass


def ended(engine: Process, job_id: str) -> list[str]:
    """Wait for the end of a run; returns how its steps ended."""
    with connect(engine.url) as client:
        deadline = time.monotonic() + 60
        while True:
            answer = ask(client, "get_run", job_id)
            if answer["run"]["status"] == "SUCCEEDED":
                return [node["status"] for node in answer["nodes"]]
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)


def test_a_stopped_engine_keeps_its_data_until_it_is_dead(tmp_path: Path) -> None:
    with process(tmp_path) as first:
        begun(first, "kept")
        first.popen.send_signal(signal.SIGSTOP)
        refused = attempt(tmp_path)
        assert refused.returncode == 78
        assert f"process {first.popen.pid}" in refused.stderr
        first.popen.kill()
        first.popen.wait(20)
    with process(tmp_path) as second:
        assert ended(second, "kept") == ["SUCCESS"] * STEPS


def test_an_engine_that_lost_its_data_while_it_was_stopped_cannot_write(tmp_path: Path) -> None:
    with process(tmp_path) as first:
        begun(first, "shared")
        first.popen.send_signal(signal.SIGSTOP)
        (
            tmp_path / "engine" / "engine.lock"
        ).unlink()  # somebody "repairs" a lock that seems to be left behind
        with process(tmp_path) as second:
            first.popen.send_signal(signal.SIGCONT)
            assert first.popen.wait(60) == 70, "what it wanted to write was refused, so it ends"
            assert "another engine took this data over" in first.log.read_text()
            assert ended(second, "shared") == ["SUCCESS"] * STEPS
            assert httpx.get(f"{second.address['http']}/health").status_code == 200
            assert json.loads(second.file.read_text())["pid"] == second.popen.pid
