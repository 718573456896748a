"""Programs in the sandbox: what they can do, and how the family of one is kept small and is buried."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from core_engine.components.isolation import numbers, rungs
from core_engine.components.isolation.lock import MOST_PROCESSES
from core_engine.components.isolation.rungs import Openings, Rung, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from shared.errors import ErrorCode, FloworkError

if not rungs.works(Rung.BUBBLEWRAP):
    pytest.skip("bubblewrap does not work here: programs are refused without it", allow_module_level=True)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(most=Bounds(seconds=60, memory_mb=512), rung=Rung.BUBBLEWRAP, warm=False)
    yield made
    await made.close()


async def shell(
    sandbox: Sandbox, line: str, *, seconds: float = 30, memory_mb: int = 256, **more: Any
) -> dict[str, Any]:
    folders = more.pop("folders", Openings())
    request = {
        "argv": ["/bin/sh", "-c", line],
        "folder": "/tmp",
        "stdin": "",
        "environment": {},
        "max_bytes": 5000,
    }
    bounds = Bounds(seconds, memory_mb)
    silent = lambda *_: None  # noqa: E731
    return await sandbox.call(Task.PROGRAM, {**request, **more}, bounds, silent, folders)


async def fail(sandbox: Sandbox, line: str, **options: Any) -> str:
    with pytest.raises(FloworkError) as caught:
        await shell(sandbox, line, **options)
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    return str((caught.value.details or {})["reason"])


async def test_streams_environment_and_exit_code_come_back(sandbox: Sandbox) -> None:
    line = 'cat; echo "$NAME" >&2; echo kept > file; cat file; exit 3'
    seen = await shell(sandbox, line, stdin="given\n", environment={"NAME": "value"})
    assert seen == {"exit_code": 3, "stdout": "given\nkept\n", "stderr": "value\n", "cut": False}
    assert (await shell(sandbox, "kill -TERM $$"))["exit_code"] == -15
    assert (await shell(sandbox, "true", stdin="x" * 1_000_000))["exit_code"] == 0


async def test_long_output_is_cut_and_does_not_block(sandbox: Sandbox) -> None:
    seen = await shell(sandbox, "head -c 3000000 /dev/zero | tr '\\0' x; head -c 9000 /dev/zero >&2")
    assert seen["exit_code"] == 0
    assert seen["cut"]
    assert seen["stdout"] == "x" * 2500 + "\n[2995000 bytes left out]\n" + "x" * 2500
    wide = await shell(sandbox, "head -c 900000 /dev/zero", max_bytes=900_000)
    assert wide["cut"]  # six characters of JSON for each byte
    assert wide["stdout"].strip("\0").endswith(" bytes left out]\n")


async def test_an_endless_flood_ends_in_time(sandbox: Sandbox) -> None:
    assert await fail(sandbox, "yes", seconds=1) == "time"
    assert (await shell(sandbox, "echo after"))["stdout"] == "after\n"


@pytest.mark.parametrize(
    "line",
    [
        "cat /etc/passwd", "cat /etc/shadow", "ls /proc", "ls /home", "touch /usr/made", "kill -9 1",
        "mknod /tmp/device c 1 3", "chmod u+s /tmp", "ln -s / /tmp/l && ls /tmp/l/root", "mount -t tmpfs none /tmp",
        "unshare -Ur true", "chroot / true", "setpriv --reuid 0 true", "exec 3<>/dev/tcp/127.0.0.1/1",
        "ls /sys", "cat {secret}", "echo x > {secret}", "cat {here}", "dmesg",
    ],
)  # fmt: skip
async def test_what_is_outside_is_refused(sandbox: Sandbox, tmp_path: Path, line: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    here = Path(__file__).resolve()
    line = line.replace("{secret}", str(secret)).replace("{here}", str(here))
    seen = await shell(sandbox, line)
    assert seen["exit_code"] != 0, seen
    assert secret.read_text() == "secret"


async def test_the_engines_environment_is_not_seen(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWORK_ENGINE_TOKEN", "dev_engine_secret")
    seen = (await shell(sandbox, "env"))["stdout"].splitlines()
    assert {line.partition("=")[0] for line in seen} <= {
        "PATH",
        "HOME",
        "TMPDIR",
        "LANG",
        "PWD",
        "_",
        "SHLVL",
        "OLDPWD",
    }


async def test_no_socket_can_be_made(sandbox: Sandbox) -> None:
    code = "import socket\ntry:\n socket.socket(FAMILY)\nexcept OSError: print('refused')"
    for family in ("socket.AF_INET", "socket.AF_INET6", "socket.AF_UNIX", "16"):
        argv = ["/usr/bin/env", "python3", "-c", code.replace("FAMILY", family)]
        seen = await shell(sandbox, "", argv=argv)
        if seen["exit_code"] == 127:
            pytest.skip("there is no python3 in /usr/bin or /usr/local/bin to make a socket with")
        assert seen["stdout"] == "refused\n", seen


@pytest.mark.parametrize("bomb", ["f() { f | f & wait; }; f", "while true; do sleep 40 & done"])
async def test_a_fork_bomb_stays_small_and_others_go_on(sandbox: Sandbox, bomb: str) -> None:
    task = asyncio.create_task(shell(sandbox, bomb, seconds=3, memory_mb=512))
    # on a slow machine it may be over before it is seen
    while not (family := _family()) and not task.done():  # noqa: ASYNC110 - nobody announces it
        await asyncio.sleep(0.02)
    assert (await shell(sandbox, "echo meanwhile"))["stdout"] == "meanwhile\n"
    most = 0
    while not task.done():
        most = max(most, len(_family()))
        await asyncio.sleep(0.05)
    # the other child and the spares are counted as well
    assert most <= MOST_PROCESSES + 16
    if (error := task.exception()) is not None:  # else the shell gave up by itself
        assert isinstance(error, FloworkError)
        assert error.code is ErrorCode.COMPONENT_FAILED
    assert (await shell(sandbox, "echo after"))["stdout"] == "after\n"
    async with asyncio.timeout(10):
        while any(process.is_running() for process in family):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_the_groups_that_limit_processes_are_removed(sandbox: Sandbox) -> None:
    await shell(sandbox, "true")
    left = [path for place in numbers._PLACES for path in place.glob(f"{numbers._NAME}{os.getpid()}-*")]
    assert left == []


def test_only_groups_of_processes_that_are_gone_are_swept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours, crashed = tmp_path / f"{numbers._NAME}{os.getpid()}-a", tmp_path / f"{numbers._NAME}{2**31 - 1}-b"
    for group in (ours, crashed):
        group.mkdir()
    monkeypatch.setattr(numbers, "_PLACES", (tmp_path,))
    with pytest.raises(FloworkError):
        numbers._make_group()
    assert list(tmp_path.iterdir()) == [ours]


async def test_root_without_control_groups_runs_no_program(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(numbers, "_PLACES", (tmp_path,))
    with pytest.raises(FloworkError, match="Run the engine as another user") as caught:
        await shell(sandbox, "true")
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
    assert list(tmp_path.iterdir()) == []


async def test_the_memory_of_all_its_processes_counts(sandbox: Sandbox) -> None:
    line = "for n in 1 2 3 4; do head -c 60000000 /dev/zero | tail -c 59999999 | (sleep 20; cat) & done; wait"
    assert await fail(sandbox, line, memory_mb=128) == "memory"


async def test_a_process_that_allocates_too_much_fails_alone(sandbox: Sandbox) -> None:
    line = "head -c 9000000000 /dev/zero | tail -c 8999999999 | wc -c"
    try:
        assert (await shell(sandbox, line, memory_mb=64))["stdout"].strip() == "0"
    except FloworkError as error:  # seen by the watch before the kernel refused
        assert error.details == {"reason": "memory"}  # noqa: PT017 - both ends are right
    assert (await shell(sandbox, "echo after"))["stdout"] == "after\n"


async def test_what_a_program_leaves_running_ends_with_it(sandbox: Sandbox) -> None:
    marks = {"123456.5", "123457.5"}
    line = "sleep 123456.5 & setsid sleep 123457.5 >/dev/null 2>&1 & echo started"
    assert (await shell(sandbox, line))["stdout"] == "started\n"
    async with asyncio.timeout(10):
        while any(marks & set(words) for words in _command_lines()):  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.02)


async def test_a_folder_opened_for_writing_holds_the_results(sandbox: Sandbox, tmp_path: Path) -> None:
    await shell(
        sandbox,
        "echo hello > out; mkdir d; cp -p out d/",
        folder=str(tmp_path),
        folders=Openings(writable=(str(tmp_path),)),
    )
    assert (tmp_path / "d" / "out").read_text() == "hello\n"
    seen = await shell(
        sandbox, "cat out; rm out", folder=str(tmp_path), folders=Openings(readable=(str(tmp_path),))
    )
    assert seen["stdout"] == "hello\n"
    assert seen["exit_code"] != 0
    assert (tmp_path / "out").exists()


async def test_without_bubblewrap_programs_are_refused() -> None:
    weaker = Sandbox(most=Bounds(10, 64), rung=Rung.LANDLOCK)
    with pytest.raises(FloworkError, match="no working bubblewrap") as caught:
        await shell(weaker, "true")
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE


def _family() -> list[psutil.Process]:
    """Return the processes that the sandbox's children started inside their namespaces."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if process.name() in {"sh", "sleep"}:
                found.append(process)
    return found


def _command_lines() -> list[list[str]]:
    found = []
    for pid in psutil.pids():
        try:
            if pid != os.getpid():
                found.append(psutil.Process(pid).cmdline())
        except psutil.Error:
            continue
    return found
