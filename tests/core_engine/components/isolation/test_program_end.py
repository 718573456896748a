"""How a program in the sandbox is ended: told first, killed with all it started after a grace, what it said kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import psutil
import pytest

from core_engine.components.isolation import rungs
from core_engine.components.isolation.rungs import Openings, Rung, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from shared.errors import FloworkError

if not rungs.works(Rung.BUBBLEWRAP):
    pytest.skip("bubblewrap does not work here: programs are refused without it", allow_module_level=True)

POLITE = "trap 'echo bye; echo bye > bye; exit 7' TERM; echo ready > ready; while :; do sleep 1; done"


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(most=Bounds(seconds=60, memory_mb=512), rung=Rung.BUBBLEWRAP, warm=False)


async def shell(sandbox: Sandbox, folder: Path, line: str, seconds: float = 30) -> Any:
    request = {
        "argv": ["/bin/sh", "-c", line], "folder": str(folder), "stdin": "", "environment": {}, "max_bytes": 1 << 20,
    }  # fmt: skip
    opened = Openings(writable=(str(folder),))
    return await sandbox.call(Task.PROGRAM, request, Bounds(seconds, 256), lambda *_: None, opened)


async def there(path: Path) -> None:
    async with asyncio.timeout(30):
        while not path.exists():  # noqa: ASYNC110 - a file of another process gives no event
            await asyncio.sleep(0.02)


def running(mark: str) -> bool:
    """Tell whether a process has the word in its command line."""
    return any(mark in (found.info["cmdline"] or ()) for found in psutil.process_iter(["cmdline"]))


async def gone(mark: str) -> None:
    async with asyncio.timeout(30):
        while running(mark):  # noqa: ASYNC110 - a process of another family gives no event
            await asyncio.sleep(0.05)


async def test_one_that_is_late_is_told_and_may_say_something(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(FloworkError, match="ran longer than 2 s") as caught:
        await shell(sandbox, tmp_path, POLITE, seconds=2)
    assert caught.value.details == {
        "reason": "time", "exit_code": 7, "stdout": "bye\n", "stderr": caught.value.details["stderr"], "cut": False
    }  # fmt: skip
    await sandbox.close()


async def test_one_that_does_not_listen_is_killed_with_all_it_started(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    line = "trap '' TERM; echo on; setsid sleep 223456.5 & while :; do sleep 1; done"
    with pytest.raises(FloworkError) as caught:
        await shell(sandbox, tmp_path, line, seconds=1)
    assert caught.value.details["exit_code"] == -9
    assert caught.value.details["stdout"] == "on\n"
    await gone("223456.5")
    await sandbox.close()


async def test_when_a_stopped_step_has_ended_nothing_of_it_runs(sandbox: Sandbox, tmp_path: Path) -> None:
    line = "trap '' TERM; echo ready > ready; setsid sleep 323456.5 & while :; do sleep 1; done"
    step = asyncio.create_task(shell(sandbox, tmp_path, line))
    await there(tmp_path / "ready")
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    assert not running(line)
    await gone("323456.5")
    assert (await shell(sandbox, tmp_path, "echo after"))["stdout"] == "after\n"
    await sandbox.close()


async def test_the_first_and_the_last_of_much_output_is_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    line = (
        "echo first; head -c 10000000 /dev/zero | tr '\\0' x; echo last; yes some line | head -c 10000000 >&2"
    )
    seen = await shell(sandbox, tmp_path, line)
    half = 512 * 1024
    head, told, tail = seen["stdout"].partition("\n[8951435 bytes left out]\n")
    assert told
    assert (len(head), len(tail)) == (half, half)
    assert head.startswith("first\nxxx")
    assert tail.endswith("xxxlast\n")
    assert len(seen["stderr"]) > 2 * half
    assert (seen["cut"], seen["exit_code"]) == (True, 0)
