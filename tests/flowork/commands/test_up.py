"""``flowork up`` as a new user meets it: start, claim, use, Ctrl-C, start again."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from flowork.cli import cli
from flowork.supervisor.service import CHECKOUT
from shared.signing.keys import WalletKey
from tests.support.platform import wait_for

FREE = {"GATEWAY_PORT": "0", "ENGINE_SOCKET_PORT": "0", "ENGINE_HTTP_PORT": "0", "PYTHONPATH": str(CHECKOUT)}
SLOW = {"nodes": [{"id": "a", "module_id": "delay", "config_values": {"seconds": 60}}], "connections": []}
HELLO = {"nodes": [{"id": "a", "module_id": "delay", "config_values": {"seconds": 0}}], "connections": []}


class Up:
    """A running ``flowork up`` and what it has said so far."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flowork", "up"],
            cwd=folder,
            env=dict(os.environ) | FREE | {"FLOWORK_DATA_DIR": "data"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_line(self, pattern: str) -> str:
        """Wait until it has said something that matches; return the first group or the whole match."""

        def found() -> str | None:
            match = re.search(pattern, "\n".join(self.said))
            assert match or self.process.poll() is None, self.said
            return (match[1] if match.groups() else match[0]) if match else None

        return wait_for(found, f"{pattern} in {self.said}", 40)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: int) -> float:
        """Send a signal; return how many seconds the end took."""
        begun = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(15)
        took = time.monotonic() - begun
        self._reader.join(5)
        return took

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            self.said.extend(line.rstrip("\n") for line in self.process.stdout)


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Up]:
    up = Up(folder, **environment)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.stop(signal.SIGTERM)


def test_claim_use_stop_and_start_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWORK_DATA_DIR", "data")
    owner = WalletKey(os.urandom(32))
    monkeypatch.setenv("FLOWORK_PRIVATE_KEY", owner.private_key_hex())
    (tmp_path / "hello.json").write_text(json.dumps(HELLO))
    (tmp_path / "slow.json").write_text(json.dumps(SLOW))
    flowork = CliRunner()
    with running(tmp_path) as up:
        link = up.wait_line(r"(http://127\.0\.0\.1:\d+/#claim=\S+&engine=\S+)")
        secrets = tmp_path / "data" / "secrets.json"
        assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
        assert flowork.invoke(cli, ["runs", "list"]).exit_code == 66, "nobody owns it yet"
        claimed = flowork.invoke(cli, ["claim", link])
        assert claimed.exit_code == 0, claimed.output
        up.wait_line(f"Owner +{owner.address.lower()}")
        up.wait_line("burnt")
        assert json.loads(secrets.read_text())["claim_code"] == ""
        again = flowork.invoke(cli, ["claim", link])
        assert again.exit_code in {66, 73}, again.output
        ran = flowork.invoke(cli, ["run", "hello.json"])
        assert ran.exit_code == 0, ran.output
        second = flowork.invoke(cli, ["up"], env=FREE)
        assert second.exit_code == 73
        assert "running already" in second.stderr
        detached = flowork.invoke(cli, ["run", "slow.json", "--detach"])
        assert detached.exit_code == 0, detached.output
        children = up.children()
        assert len(children) >= 2
        assert up.stop(signal.SIGINT) < 5
        assert up.process.returncode == 0
        assert not any(child.is_running() for child in children)
        code = re.search("claim=([^&]+)", link)
        assert code
        assert not any(code[1] in line for line in up.said if "claim=" not in line)
    with running(tmp_path) as up:
        up.wait_line(f"Owner +{owner.address.lower()}")
        engine = next(child for child in up.children() if "core_engine" in child.cmdline())
        engine.kill()
        up.wait_line(r"engine +ended with status -9; starting it again")
        wait_for(
            lambda: sum("engine ready" in line for line in up.said) == 2 or None,
            "the engine's second start",
            40,
        )
        ran = flowork.invoke(cli, ["run", "hello.json"])
        assert ran.exit_code == 0, ran.output
        listed = flowork.invoke(cli, ["runs", "show", detached.stdout.strip(), "--json"])
        assert json.loads(listed.stdout)["run"]["status"] == "RUNNING", "a run goes on after the restart"
        assert up.stop(signal.SIGTERM) < 5
        assert not any("claim=" in line for line in up.said)


def test_a_taken_port_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = CliRunner().invoke(
            cli, ["up"], env=FREE | {"GATEWAY_PORT": str(port), "FLOWORK_DATA_DIR": "data"}
        )
    assert result.exit_code == 73
    assert f"Port {port} " in result.stderr
    assert "GATEWAY_PORT" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_service_alone_is_set_up_by_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GATEWAY_LOG_LEVL=INFO\n")
    done = subprocess.run(
        [sys.executable, "-m", "flowork", "gateway"],
        cwd=tmp_path, env=dict(os.environ) | FREE, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 78
    assert "GATEWAY_LOG_LEVL, did you mean GATEWAY_LOG_LEVEL?" in done.stderr
    assert "Traceback" not in done.stderr
