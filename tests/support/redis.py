"""A Redis server of a test's own, on a free port, with nothing kept on disk."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_START_SECONDS = 30.0
_MOST_TRIES = 5


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
    options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    options += ["--requirepass", password] if password else []
    server, found = _start([program, *options], password, port)
    try:
        yield RedisServer(found, password, server.pid)
    finally:
        server.terminate()
        server.wait(30)


def _start(command: list[str], password: str, port: int) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server; where no port is given and another process was quicker to take the free one, on another."""
    for _ in range(1 if port else _MOST_TRIES):
        chosen = port or _free_port()
        server = subprocess.Popen(
            [*command, "--port", str(chosen)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_SECONDS
        while server.poll() is None and time.monotonic() < deadline:
            if _process_at(chosen, password) == server.pid:
                return server, chosen
            time.sleep(0.02)
        server.kill()
        server.wait(30)
    raise AssertionError("redis-server ended or does not answer")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _process_at(port: int, password: str) -> int | None:
    """Return the id of the Redis process that answers there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as made:
        sign_in = f"AUTH {password}\r\n" if password else ""
        made.sendall(f"{sign_in}INFO server\r\n".encode())
        said = b""
        while data := made.recv(65_536):
            said += data
            if found := re.search(rb"process_id:(\d+)\r\n", said):
                return int(found[1])
            if b"-ERR" in said or b"-NOAUTH" in said or b"-WRONGPASS" in said:
                return None
    return None
