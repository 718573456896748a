"""A real redis-server on a free loopback port, without a file on disk."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.ports import free_port

WAIT = 30.0


@dataclass
class Redis:
    """A running server; `stop` and `start` keep the port and lose what it held."""

    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        for _ in range(5):
            port = self.port or free_port()
            command = [
                "redis-server",
                "--bind",
                "127.0.0.1",
                "--port",
                str(port),
                "--save",
                "",
                "--dir",
                "/tmp",
            ]
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if _answers(port, self.process):
                self.port = port
                return
            self.stop()
        raise AssertionError("redis-server did not start")

    def stop(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as wire:
            wire.sendall(b"PING\r\n")
            if wire.recv(16).startswith(b"+PONG"):
                return process.poll() is None
        time.sleep(0.02)
    return False


@contextlib.contextmanager
def running_redis() -> Iterator[Redis]:
    """Start a server for a test; skips by name where there is none."""
    if shutil.which("redis-server") is None:
        pytest.skip(
            "SKIPPED BY NAME: redis-server is not installed: several gateway processes were not tried"
        )
    server = Redis()
    server.start()
    try:
        yield server
    finally:
        server.stop()
