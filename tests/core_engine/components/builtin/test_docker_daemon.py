"""A Docker daemon that takes the connection and never says a word."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from core_engine.components.builtin.docker_container import job
from shared.errors import ErrorCode, FloworkError


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[str]:
    """The address of a daemon that hangs."""
    path = tmp_path / "docker.sock"
    held: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(8)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    held.append(listener.accept()[0])

        waiter = threading.Thread(target=accept, name="deaf daemon")
        waiter.start()
        yield f"unix://{path}"
        listener.shutdown(socket.SHUT_RDWR)
        waiter.join(10)
    for each in held:
        each.close()


async def test_a_daemon_that_hangs_fails_the_step_soon_and_holds_up_nobody(
    run, deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert job._FIRST_SECONDS <= 30
    monkeypatch.setattr(job, "_FIRST_SECONDS", 0.5)
    monkeypatch.setenv("DOCKER_HOST", deaf)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    beside = asyncio.create_task(others(), name="other steps")
    with pytest.raises(FloworkError) as caught:
        await run("docker_container", {"image": "x"})
    beside.cancel()
    assert caught.value.code is ErrorCode.SANDBOX_UNAVAILABLE
    assert turns > 5
