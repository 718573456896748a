"""Containers on a real Docker engine."""

from __future__ import annotations

import asyncio
import gc
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import docker
import pytest

from core_engine.components.builtin.docker_container import orphans
from core_engine.components.builtin.docker_container.component import DockerContainer
from core_engine.components.builtin.docker_container.job import LABEL
from core_engine.components.switches import Switches
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError
from tests.support.docker import docker_image

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def image() -> str:
    return docker_image()


@pytest.fixture
def shell(run, step, image: str, request: pytest.FixtureRequest):
    """``await shell("echo hello", memory_mb=64)`` returns the step's data."""
    step.idempotency_key = request.node.name

    async def call(line: str, **settings: Any) -> Any:
        config = {"image": image, "pull": "never", "command": "/bin/sh -c", "arguments": [line], **settings}
        return (await run("docker_container", config)).outputs["success"].data

    return call


def containers(key: str) -> list[Any]:
    client = docker.from_env(timeout=60)
    try:
        return client.containers.list(all=True, filters={"label": f"{LABEL}={key}"})
    finally:
        client.close()


async def test_streams_exit_code_and_log_come_back_and_the_container_is_removed(shell, step) -> None:
    line = 'echo out; echo err >&2; echo "$NAME"; exit 3'
    done = await shell(line, environment=[{"name": "NAME", "value": "v"}], fail_on_exit_code=False)
    assert done == {"exit_code": 3, "stdout": "out\nv\n", "stderr": "err\n", "cut": False}
    assert ("INFO", "out") in step.logs
    assert ("DEBUG", "Isolation: docker.") in step.logs
    assert containers(step.idempotency_key) == []
    with pytest.raises(FloworkError, match="exit code 3"):
        await shell(line)


async def test_it_has_no_network_and_no_rights(shell) -> None:
    done = await shell("ls /sys/class/net; head -n 100 /proc/self/status")
    assert done["stdout"].splitlines()[0] == "lo"
    assert set(done["stdout"].splitlines()[:2]) & {"eth0"} == set()
    assert "CapEff:\t0000000000000000" in done["stdout"]
    assert "NoNewPrivs:\t1" in done["stdout"]


async def test_it_writes_nowhere_but_into_its_temporary_folder(shell) -> None:
    line = "touch /x || echo no; touch /tmp/x && echo yes"
    assert (await shell(line))["stdout"] == "no\nyes\n"
    assert (await shell(line, read_only=False))["stdout"] == "yes\n"


async def test_only_the_mounted_folder_is_seen(shell, root: Path) -> None:
    (root / "shown").mkdir()
    (root / "shown" / "a").write_text("content")
    mount = {"folder": "shown", "target": "/work"}
    line = "cat /work/a; touch /work/b"
    done = await shell(line, mounts=[mount], fail_on_exit_code=False)
    assert done["stdout"] == "content"
    assert done["exit_code"] != 0
    (root / "shown").chmod(0o777)
    await shell(line, mounts=[{**mount, "write": True}])
    assert (root / "shown" / "b").exists()
    for folder in ("/etc", "../..", "/var/run/docker.sock", "/"):
        with pytest.raises(FloworkError) as caught:
            await shell(line, mounts=[{"folder": folder, "target": "/work"}])
        assert caught.value.code in {ErrorCode.FORBIDDEN, ErrorCode.NOT_FOUND}
    for target in ("/", "work", "/work/../etc", "/a:b"):
        with pytest.raises(ValueError, match="target"):
            await shell(line, mounts=[{"folder": "shown", "target": target}])


async def test_one_that_does_not_end_is_killed(shell, step) -> None:
    with pytest.raises(FloworkError, match="ran longer than 2 s") as caught:
        await shell("while true; do :; done", timeout_seconds=2)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert containers(step.idempotency_key) == []


async def test_one_that_is_late_is_told_to_end(shell, step) -> None:
    with pytest.raises(FloworkError, match="ran longer than 2 s"):
        await shell("trap 'echo bye; exit 0' TERM; while true; do sleep 0.1; done", timeout_seconds=2)
    assert ("INFO", "bye") in step.logs


async def test_a_stopped_run_kills_its_container(shell, step) -> None:
    task = asyncio.create_task(shell("echo up; sleep 600"))
    while ("INFO", "up") not in step.logs:
        assert not task.done(), task.result()
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert containers(step.idempotency_key) == []


_LEFT_BEHIND = """
import sys
import docker
from core_engine.components.builtin.docker_container import orphans
client = docker.from_env(timeout=60)
labels = {orphans.LABEL: orphans.own_mark(), "io.flowork.step": sys.argv[2]}
client.containers.run(sys.argv[1], ["sleep", "600"], detach=True, labels=labels, init=True)
client.close()
"""


def test_what_a_killed_process_left_behind_is_removed(image: str, request: pytest.FixtureRequest) -> None:
    key = request.node.name
    client = docker.from_env(timeout=60)
    command = [sys.executable, "-c", _LEFT_BEHIND, image, key]
    try:
        subprocess.run(command, cwd=ROOT, check=True, timeout=120)
        mine = {orphans.LABEL: orphans.own_mark(), LABEL: f"{key}-mine"}
        client.containers.create(image, ["sleep", "600"], labels=mine)
        assert len(containers(key)) == 1
        orphans.remove_orphans(allowed=False)
        assert len(containers(key)) == 1
        orphans.remove_orphans(allowed=True)
        assert containers(key) == []
        assert len(containers(f"{key}-mine")) == 1
    finally:
        for left in (*containers(key), *containers(f"{key}-mine")):
            left.remove(force=True)
        client.close()


async def test_long_output_is_cut(shell) -> None:
    done = await shell("head -c 300000 /dev/zero", max_output_kib=1)
    assert done["cut"]
    zeros = "\0" * 512
    assert done["stdout"] == f"{zeros}\n[298976 bytes left out]\n{zeros}"


async def test_an_image_that_is_not_there_is_told(shell) -> None:
    with pytest.raises(FloworkError) as caught:
        await shell("true", image="flowork-test-none:1")
    assert caught.value.code is ErrorCode.NOT_FOUND
    for image in ("-v", "a b", "--privileged", ""):
        with pytest.raises(ValueError, match="image"):
            await shell("true", image=image)


def test_who_has_a_workflow_checked_is_told_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "ENGINE_DOCKER_CONTAINERS=true" in (DockerContainer(Switches()).unready({}) or "")
    component = DockerContainer(Switches(docker_containers=True))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert "No Docker engine answers here" in (component.unready({}) or "")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{tmp_path}/real.sock")
        server.listen()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/real.sock")
        assert component.unready({}) is None


async def test_it_is_off_unless_the_owner_switches_it_on(step) -> None:
    component = DockerContainer(Switches())
    config = component.parse_config({"image": "x"})
    with pytest.raises(FloworkError, match="ENGINE_DOCKER_CONTAINERS=true") as caught:
        await component.execute(step, config, Payload({}))
    assert caught.value.code is ErrorCode.FORBIDDEN


async def test_without_an_engine_it_says_so_and_leaves_no_socket_open(
    run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(FloworkError) as caught:
        await run("docker_container", {"image": "x"})
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
    del caught
    gc.collect()  # a socket that is left open makes this test fail


async def test_simulating_starts_nothing(run) -> None:
    result = await run("docker_container", {"image": "x"}, mode=RunMode.SIMULATE)
    assert result.outputs["success"].data["simulated"]
