"""A Redis server of a test's own, on a free port, with nothing kept on disk."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_START_SECONDS = 30.0


@dataclass(frozen=True)
class RedisServer:
    """Where the server is."""

    port: int
    password: str = ""
    pid: int = 0

    @property
    def url(self) -> str:
        """The server's address."""
        sign_in = f":{self.password}@" if self.password else ""
        return f"redis://{sign_in}127.0.0.1:{self.port}/0"


@contextmanager
def redis_server(folder: Path, password: str = "", port: int = 0) -> Iterator[RedisServer]:
    """Run a server in a folder, on ``port`` where one is given. Skips the test where Redis is not installed."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed: redis-server was not found")
    if not port:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
    options = [
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        str(folder),
    ]
    options += ["--requirepass", password] if password else []
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            assert server.poll() is None, "redis-server ended"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.02)
        yield RedisServer(port, password, server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as made:
            made.sendall(b"PING\r\n")
            return made.recv(64)[:1] in {b"+", b"-"}
    except OSError:
        return False
