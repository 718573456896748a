"""The engine as a process: how it starts, what it says, how it ends, what a crash leaves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from core_engine.app import Engine, running, serve
from core_engine.housekeeping import Housekeeping
from shared.errors import ErrorCode, FloworkError
from shared.signing.envelope import seal
from tests.core_engine.engine import CLOCK, ENGINE_ID, OWNER, chain, engine, settings, talker, waiting

ROOT = Path(__file__).resolve().parents[2]
SECRET = "flork_sec_" + "5" * 64
GRACE = 1
SLACK = 20  # for a machine that does other things as well


def environment(folder: Path, **extra: str) -> dict[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ENGINE_", "GATEWAY_", "FLOWORK_"))
    }
    base = {
        "FLOWORK_ENGINE_ID": ENGINE_ID,
        "FLOWORK_OWNER_ADDRESS": OWNER.address,
        "FLOWORK_DATA_DIR": str(folder),
        "ENGINE_SOCKET_PORT": "0",
        "ENGINE_HTTP_PORT": "0",
        "GATEWAY_SECRET_TOKEN": SECRET,
        "ENGINE_SHUTDOWN_GRACE_SECONDS": str(GRACE),
    }
    return inherited | base | extra


def attempt(folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    """Start an engine that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "core_engine"],
        cwd=ROOT, env=environment(folder, **extra), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


class Process:
    """An engine in a process of its own."""

    def __init__(self, folder: Path, **extra: str) -> None:
        self.log = folder / "engine.log"
        self.file = folder / "engine" / "address.json"
        self.file.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "core_engine"], cwd=ROOT, env=environment(folder, **extra), stderr=log
            )
        deadline = time.monotonic() + 90
        while not self.file.exists():
            assert self.popen.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        self.address = json.loads(self.file.read_text())

    @property
    def url(self) -> str:
        return f"{self.address['socket']}/?engineId={ENGINE_ID}"

    def end(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        begun = time.monotonic()
        self.popen.send_signal(number)
        return self.popen.wait(90), time.monotonic() - begun


@contextmanager
def process(folder: Path, **extra: str) -> Iterator[Process]:
    folder.mkdir(exist_ok=True)
    running_process = Process(folder, **extra)
    try:
        yield running_process
    finally:
        if running_process.popen.poll() is None:
            running_process.popen.kill()
            running_process.popen.wait(30)


def drain(client: ClientConnection) -> None:
    """Read until the connection ends."""
    while True:
        client.recv(30)


def start(job_id: str, workflow: dict[str, Any]) -> str:
    payload = {"type": "execute_workflow", "job_id": job_id, "workflow_data": workflow}
    return seal(OWNER, ENGINE_ID, payload, now_ms=CLOCK.now_ms())


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({"FLOWORK_ENGINE_ID": ""}, "FLOWORK_ENGINE_ID"),
        ({"ENGINE_SOCKET_PROT": "1"}, "did you mean ENGINE_SOCKET_PORT"),
        ({"ENGINE_SOCKET_PORT": "70000"}, "ENGINE_SOCKET_PORT"),
        ({"FLOWORK_OWNER_ADDRESS": "me"}, "FLOWORK_OWNER_ADDRESS"),
        ({"ENGINE_SOCKET_HOST": "192.0.2.1"}, "ENGINE_SOCKET_PORT"),
        ({"FLOWORK_DATA_DIR": __file__}, "data folder"),
    ],
)
def test_wrong_settings_end_the_start_with_78_and_say_what_to_set(
    tmp_path: Path, extra: dict[str, str], named: str
) -> None:
    done = attempt(tmp_path, **extra)
    assert done.returncode == 78, done.stderr
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "engine" / "address.json").exists()


def test_a_process_from_start_to_end(tmp_path: Path) -> None:
    with process(tmp_path) as engine_process:
        address = engine_process.address
        assert address["engine_id"] == ENGINE_ID
        assert address["pid"] == engine_process.popen.pid
        assert httpx.get(f"{address['http']}/health").json() == {"status": "ready"}
        assert attempt(tmp_path).returncode == 78, "a second engine on the same data"
        taken = address["socket"].rsplit(":", 1)[1]
        assert attempt(tmp_path / "other", ENGINE_SOCKET_PORT=taken).returncode == 78, "a port that is taken"
        with connect(engine_process.url) as client:
            client.send(start("long", waiting(60)))
            assert json.loads(client.recv(30))["status_data"]["status"] == "RUNNING"
            code, seconds = engine_process.end()
            assert code == 0
            assert seconds < GRACE + 2 + SLACK
            with pytest.raises(ConnectionClosed) as ended:
                drain(client)
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 1001
        assert not engine_process.file.exists()
        assert "engine ready" in engine_process.log.read_text()
        assert SECRET not in engine_process.log.read_text()


def test_sigint_ends_as_well(tmp_path: Path) -> None:
    with process(tmp_path) as engine_process:
        code, seconds = engine_process.end(signal.SIGINT)
        assert (code, seconds < GRACE + 2 + SLACK) == (0, True)


def test_after_a_kill_the_run_goes_on_and_its_message_stays_used(tmp_path: Path) -> None:
    message = start("crash", chain(3, "delay", seconds=0.5))
    with process(tmp_path) as engine_process, connect(engine_process.url) as client:
        client.send(message)
        assert json.loads(client.recv(30))["seq"] == 1
        engine_process.end(signal.SIGKILL)
    with process(tmp_path) as engine_process, connect(engine_process.url) as client:
        client.send(message)
        assert json.loads(client.recv(30))["code"] == "REPLAYED"
        payload = {"type": "subscribe_run", "job_id": "crash"}
        client.send(seal(OWNER, ENGINE_ID, payload, now_ms=CLOCK.now_ms()))
        while True:
            frame = json.loads(client.recv(30))
            if frame.get("status_data", {}).get("status") == "SUCCEEDED":
                break


def test_steps_may_finish_within_the_grace(tmp_path: Path) -> None:
    with process(tmp_path, ENGINE_SHUTDOWN_GRACE_SECONDS="60") as engine_process:
        with connect(engine_process.url) as client:
            client.send(start("short", chain(1, "delay", seconds=1)))
            client.recv(30)
        code, seconds = engine_process.end()
        assert code == 0
        assert seconds < 40, "it waits for the step, not for the whole grace"
    with process(tmp_path) as engine_process, connect(engine_process.url) as client:
        client.send(seal(OWNER, ENGINE_ID, {"type": "get_run", "job_id": "short"}, now_ms=CLOCK.now_ms()))
        run = json.loads(client.recv(30))
        assert run["nodes"][0]["attempts"] == 1


async def test_the_status_shows_what_goes_on(tmp_path: Path) -> None:
    async with (
        engine(tmp_path, GATEWAY_SECRET_TOKEN=SECRET) as running_engine,
        talker(running_engine) as client,
    ):
        await client.ask("execute_workflow", job_id="long", workflow_data=waiting())
        headers = {"X-API-Key": SECRET}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.get(f"{running_engine.address.http}/api/v1/status") as answer,
        ):
            status = await answer.json()
    assert status["engine_id"] == ENGINE_ID
    assert status["owner_pinned"] is True
    assert status["link"] == "off"
    assert status["runs"] == {"busy": True, "open": 1}
    assert status["connections"] == 1
    assert status["isolation"] in {"bubblewrap", "landlock", "none"}


async def test_a_missing_engine_id_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(FloworkError, match="FLOWORK_ENGINE_ID") as caught:
        async with running(settings(tmp_path / "data", FLOWORK_ENGINE_ID="")):
            pass
    assert caught.value.code is ErrorCode.CONFIGURATION
    assert not (tmp_path / "data").exists()


async def test_a_port_that_is_taken_is_a_matter_of_configuration(tmp_path: Path) -> None:
    with socket.socket() as blocker:
        blocker.bind(("127.0.0.1", 0))
        blocker.listen()
        port = str(blocker.getsockname()[1])
        for name in ("ENGINE_SOCKET_PORT", "ENGINE_HTTP_PORT"):
            with pytest.raises(FloworkError, match="Cannot listen") as caught:
                async with engine(tmp_path, **{name: port}):
                    pass
            assert caught.value.code is ErrorCode.CONFIGURATION
    async with engine(tmp_path) as running_engine, talker(running_engine) as client:
        await client.ask("list_runs")


async def test_a_disk_that_fails_for_good_ends_the_engine_with_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Engine] = []
    monkeypatch.setattr(Engine, "start", noting(Engine.start, started))
    task = asyncio.create_task(serve(settings(tmp_path), asyncio.Event()), name="serve")
    async with asyncio.timeout(10):
        while not started:  # noqa: ASYNC110 - the engine starts
            await asyncio.sleep(0.01)
        started[0].fail(FloworkError(ErrorCode.INTERNAL, "The engine's disk failed."))
        with pytest.raises(FloworkError, match="disk failed") as caught:
            await task
    assert caught.value.meaning.exit == 70


async def test_an_endless_task_that_ends_by_mistake_ends_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def explode(_: Housekeeping) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Housekeeping, "run", explode)
    with pytest.raises(FloworkError, match="housekeeping"):
        async with asyncio.timeout(10):
            await serve(settings(tmp_path), asyncio.Event())
    assert "ZeroDivisionError" in caplog.text


def noting(original: Any, started: list[Engine]) -> Any:
    async def start_and_note(self: Engine) -> None:
        await original(self)
        started.append(self)

    return start_and_note
