"""A PostgreSQL server of a test's own: a fresh cluster on a free port, run by an unprivileged user."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

PASSWORD = "a test's own password"
CACHE = Path(__file__).resolve().parents[2] / "var" / "cache" / "postgres"
_START_SECONDS = 60.0
_MOST_TRIES = 5


@dataclass(frozen=True)
class PostgresServer:
    """Where the server is; ``user`` is its superuser."""

    port: int
    user: str = "flowork"
    database: str = "postgres"
    host: str = "127.0.0.1"

    @property
    def url(self) -> str:
        """The address as SQLAlchemy writes it."""
        return f"postgresql://{self.user}:{quote(PASSWORD)}@{self.host}:{self.port}/{self.database}"

    def connect(self) -> psycopg.Connection:
        """Connect directly, every statement committed."""
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=PASSWORD,
            dbname=self.database,
            autocommit=True,
        )


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server. Skips the test where PostgreSQL is not installed or cannot be run."""
    binaries = _binaries()
    # the server's user must reach the folder, and pytest's folders are closed to others
    folder = Path(tempfile.mkdtemp(prefix="flowork-pg-"))
    user = _user()
    try:
        (folder / "password").write_text(PASSWORD)
        for path in (folder, folder / "password"):
            shutil.chown(path, user.pw_uid, user.pw_gid)
        data = folder / "data"
        _make_cluster(binaries, user, folder / "password", data)
        server, made = _start([str(binaries / "postgres"), "-D", str(data), "-k", str(folder)], user, data)
        try:
            yield made
        finally:
            server.send_signal(signal.SIGINT)  # ends the sessions and stops in order
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)  # at once
                server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_cluster(binaries: Path, user: pwd.struct_passwd, password: Path, data: Path) -> None:
    """Make the server's files: a copy of those that were made first on this machine, which takes no time."""
    program = (binaries / "postgres").resolve()
    which = f"{program} {program.stat().st_mtime_ns} {user.pw_name} {PASSWORD}"
    name = hashlib.sha256(which.encode()).hexdigest()[:16]
    kept = CACHE / name
    if not kept.exists():
        options = ["-U", "flowork", "-A", "scram-sha-256", "--pwfile", str(password), "-E", "UTF8"]
        options += ["--locale=C", "--no-sync"]
        _run([str(binaries / "initdb"), "-D", str(data), *options], user)
        CACHE.mkdir(parents=True, exist_ok=True)
        mine = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=CACHE))
        subprocess.run(["cp", "-a", str(data), str(mine / "data")], check=True)
        try:
            (mine / "data").rename(kept)
        except OSError:  # another process was faster
            shutil.rmtree(mine / "data")
        mine.rmdir()
    else:
        subprocess.run(["cp", "-a", str(kept), str(data)], check=True)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and not on_path:
        pytest.skip("PostgreSQL is not installed: initdb was not found")
    return Path(on_path or found[-1]).parent


def _user() -> pwd.struct_passwd:
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _as(user: pwd.struct_passwd) -> dict:
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
    if os.getuid() != 0:
        return {"env": environment, "cwd": "/"}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "env": environment, "cwd": "/"}


def _run(command: list[str], user: pwd.struct_passwd) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False, **_as(user))
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _start(
    command: list[str], user: pwd.struct_passwd, data: Path
) -> tuple[subprocess.Popen, PostgresServer]:
    """Start a server; where another process was quicker to take the free port, on another."""
    log = data.parent / "log"
    for _ in range(_MOST_TRIES):
        made = PostgresServer(_free_port())
        arguments = ["-p", str(made.port), "-h", "127.0.0.1", "-c", "fsync=off"]
        with log.open("ab") as out:
            server = subprocess.Popen([*command, *arguments], stdout=out, stderr=out, **_as(user))
        if _is_there(server, made, data):
            return server, made
        server.kill()
        server.wait(30)
    raise AssertionError(log.read_text())


def _is_there(server: subprocess.Popen, made: PostgresServer, data: Path) -> bool:
    """Wait until the server answers, this one and no other at its port; false where it ended."""
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(psycopg.Error), made.connect() as connection:
            if connection.execute("SHOW data_directory").fetchall() == [(str(data),)]:
                return True
        time.sleep(0.05)
    return False
