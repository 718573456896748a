"""A real PostgreSQL server on a free loopback port, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.ports import free_port

WAIT = 60.0
USER = "postgres"


@dataclass
class Postgres:
    """A running server; each test asks for a database of its own."""

    binaries: Path
    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    made: int = field(default=0)

    def start(self) -> None:
        for _ in range(5):
            self.port = free_port()
            options = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"]
            command = [
                self.binaries / "postgres",
                "-D",
                self.folder / "data",
                "-p",
                str(self.port),
                "-k",
                self.folder,
            ]
            self.process = subprocess.Popen(
                [*map(str, command), *options],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder, **_somebody(),
            )  # fmt: skip
            if self._answers():
                return
            self.stop()
        raise AssertionError("postgres did not start")

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def create_database(self) -> str:
        """Return the URL of an empty database."""
        self.made += 1
        name = f"flowork_{self.made}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self._address(name)

    def _address(self, name: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def _answers(self) -> bool:
        deadline = time.monotonic() + WAIT
        while time.monotonic() < deadline and self.process is not None and self.process.poll() is None:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self._address("postgres"), connect_timeout=2).close()
                return True
            time.sleep(0.05)
        return False


@contextlib.contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server for some tests; skips by name where there is none."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("SKIPPED BY NAME: PostgreSQL is not installed: the gateway was not tried on it")
    folder = Path(tempfile.mkdtemp(prefix="flowork-postgres-"))
    if os.getuid() == 0:
        os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
    command = [binaries / "initdb", "-D", folder / "data", "-U", USER, "-A", "trust", "-N"]
    subprocess.run([*map(str, command)], check=True, capture_output=True, cwd=folder, **_somebody())
    server = Postgres(binaries, folder)
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    on_path = shutil.which("postgres")
    if on_path and shutil.which("initdb"):
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def _somebody() -> dict[str, Any]:
    """Return the options of a process that must not be root's."""
    if os.getuid() != 0:
        return {}
    entry = pwd.getpwnam(USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
