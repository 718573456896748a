"""A child process: ready, dead, stubborn; and gone when its supervisor is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from flowork.places import gateway_file, read_gateway
from flowork.supervisor import supervisor as module
from flowork.supervisor.child import Child, stop_all
from flowork.supervisor.lines import LogLines
from flowork.supervisor.service import CHECKOUT, Service, gateway_service
from flowork.supervisor.supervisor import Supervisor
from shared.errors import ErrorCode, FloworkError
from tests.support.platform import wait_for

FOLDER = Path(__file__).parent


def small_service(data_dir: Path, mode: str) -> Service:
    environment = dict(os.environ) | {
        "MODE": mode,
        "ADDRESS_FILE": str(gateway_file(data_dir)),
        "PYTHONPATH": str(FOLDER),
    }
    return Service(
        "gateway",
        "small_service",
        environment,
        gateway_file(data_dir),
        partial(read_gateway, data_dir),
        "/health",
    )


class Heard(list[str]):
    def __call__(self, _service: str, line: str) -> None:
        self.append(line)


def test_a_polite_child(tmp_path: Path) -> None:
    heard = Heard()
    gateway_file(tmp_path).parent.mkdir()
    gateway_file(tmp_path).write_text('{"url": "http://127.0.0.1:1"}')  # of an earlier start
    child = Child(small_service(tmp_path, "polite"), heard)
    address = child.wait_ready(10)
    assert address.url != "http://127.0.0.1:1"
    assert httpx.get(address.url, trust_env=False).is_success
    stop_all([child], 5)
    assert child.exit_code == 0
    assert heard[-1] == "bye"


def test_a_child_that_does_not_start_says_why(tmp_path: Path) -> None:
    child = Child(small_service(tmp_path, "misconfigured"), Heard())
    with pytest.raises(FloworkError, match="PORT: not a number") as caught:
        child.wait_ready(10)
    assert caught.value.code is ErrorCode.CONFIGURATION
    stop_all([child], 1)


def test_a_child_that_is_never_ready(tmp_path: Path) -> None:
    heard = Heard()
    child = Child(small_service(tmp_path, "silent"), heard)
    with pytest.raises(FloworkError, match="not ready within") as caught:
        child.wait_ready(0.3)
    assert caught.value.code is ErrorCode.DEADLINE_EXCEEDED
    stop_all([child], 5)


def test_a_stubborn_child_is_killed_with_all_it_started(tmp_path: Path) -> None:
    child = Child(small_service(tmp_path, "stubborn"), Heard())
    child.wait_ready(10)
    family = psutil.Process(child.pid).children(recursive=True)
    assert family
    begun = time.monotonic()
    stop_all([child], 0.3)
    assert time.monotonic() - begun < 30
    assert child.exit_code == -signal.SIGKILL
    wait_for(
        lambda: not any(process.is_running() and process.status() != "zombie" for process in family),
        "the end",
    )


def test_children_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    code = f"""
import sys, time
from pathlib import Path
sys.path[:0] = [{str(CHECKOUT)!r}]
from flowork.supervisor.child import Child
from tests.flowork.supervisor.test_child import small_service
child = Child(small_service(Path({str(tmp_path)!r}), "polite"), print)
child.wait_ready(10)
print(child.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        pid = next(int(line) for line in parent.stdout if line.strip().isdecimal())
        child = psutil.Process(pid)
        parent.kill()
        parent.wait(10)
        wait_for(lambda: not child.is_running() or child.status() == "zombie", "the child to end")


def supervise(monkeypatch: pytest.MonkeyPatch, data_dir: Path, mode: str, heard: Heard) -> Supervisor:
    """Return a supervisor of two small services instead of the real ones."""
    from flowork.supervisor.secrets import PlatformSecrets

    def service(_environ: object, folder: Path, given: dict[str, str]) -> Service:
        return small_service(folder / ("engine" if "GATEWAY_URL" in given else "gateway"), mode)

    monkeypatch.setattr(module, "gateway_service", service)
    monkeypatch.setattr(module, "engine_service", service)
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.01)
    return Supervisor({}, data_dir, PlatformSecrets.create(), heard)


def test_a_dead_child_is_started_again_on_its_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gateway", "engine"):
        (tmp_path / name).mkdir()
    heard = Heard()
    supervisor = supervise(monkeypatch, tmp_path, "polite", heard)
    try:
        gateway, engine = supervisor.start()
        assert gateway != engine
        httpx.get(f"{gateway.url}/crash", trust_env=False)
        with pytest.raises(KeyboardInterrupt):
            supervisor.watch(lambda: answers_again(gateway.url, heard))
    finally:
        supervisor.stop()
    assert any("ended with status 3; starting it again" in line for line in heard)


def answers_again(url: str, heard: Heard) -> None:
    if any("starting it again" in line for line in heard):
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            return
        raise KeyboardInterrupt


def test_a_child_that_keeps_dying_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gateway", "engine"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(module, "MAX_FAILURES", 2)
    supervisor = supervise(monkeypatch, tmp_path, "polite", Heard())
    try:
        supervisor.start()
        watched = supervisor._watched[0]
        broken = dict(watched.child.service.environment) | {"MODE": "misconfigured"}
        object.__setattr__(watched.child.service, "environment", broken)
        httpx.get(f"{read_gateway(tmp_path / 'gateway').url}/crash", trust_env=False)  # type: ignore[union-attr]
        with pytest.raises(FloworkError, match=r"after 2 restarts.*PORT: not a number") as caught:
            supervisor.watch(lambda: None)
        assert caught.value.code is ErrorCode.INTERNAL
    finally:
        supervisor.stop()


def test_the_users_own_secrets_do_not_reach_the_services(tmp_path: Path) -> None:
    environ = {
        "FLOWORK_PASSPHRASE": "mine",
        "FLOWORK_PRIVATE_KEY": "mine",
        "PATH": "/bin",
        "GATEWAY_PORT": "1",
    }
    given = gateway_service(environ, tmp_path, {"GATEWAY_PORT": "2"}).environment
    assert "mine" not in given.values()
    assert (given["PATH"], given["GATEWAY_PORT"], given["FLOWORK_DATA_DIR"]) == ("/bin", "2", str(tmp_path))


def test_log_lines_are_short_coloured_and_harmless() -> None:
    import io

    from rich.console import Console

    output = io.StringIO()
    lines = LogLines(Console(file=output, width=200, markup=False))
    lines("gateway", "12:00:00.123 gateway INFO    ready [bold]x[/bold]")
    lines("engine", "Traceback \x1b]0;x\x07")
    assert output.getvalue() == "12:00:00 gateway ready [bold]x[/bold]\nengine  Traceback \\x1b]0;x\\x07\n"
