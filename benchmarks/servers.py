"""Starts what is measured: real processes on loopback, kept to one core while the load has the other."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.ids import new_engine_token

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
OURS = ("GATEWAY_", "ENGINE_", "FLOWORK_")
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[-1], CORES[0]


def take_load_core() -> None:
    """Keep this process, which makes the load, to its core."""
    os.sched_setaffinity(0, {LOAD_CORE})


@contextlib.contextmanager
def server(command: list[str], address: Path, log: Path, **environ: str) -> Iterator[dict[str, Any]]:
    """Start a server that writes down where it listens, and yield that; it ends with the block."""
    address.parent.mkdir(parents=True, exist_ok=True)
    address.unlink(missing_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=clean | environ, stdout=output, stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),  # noqa: PLW1509 - no threads yet
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while not address.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.005)
        yield json.loads(address.read_text()) | {"process": process.pid}
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait(10)


@contextlib.contextmanager
def engine(folder: Path, owner: str, **environ: str) -> Iterator[dict[str, Any]]:
    """Start an engine that belongs to the address, without a gateway; yields its `Address` as a dictionary."""
    given = {
        "FLOWORK_ENGINE_ID": "engine-1",
        "FLOWORK_OWNER_ADDRESS": owner,
        "FLOWORK_DATA_DIR": str(folder),
        "ENGINE_SOCKET_PORT": "0",
        "ENGINE_HTTP_PORT": "0",
        "ENGINE_MESSAGES_PER_SECOND": "1000000",
    }
    with server(
        ["-m", "core_engine"], folder / "engine" / "address.json", folder / "engine.log", **given | environ
    ) as at:
        yield at


@contextlib.contextmanager
def gateway(folder: Path, **environ: str) -> Iterator[dict[str, Any]]:
    """Start a gateway under gunicorn with one worker, without limits on its requests."""
    given = {
        "FLOWORK_DATA_DIR": str(folder),
        "GATEWAY_PORT": "0",
        "GATEWAY_PAGE": "plain",
        "GATEWAY_SECRET_TOKEN": "flork_sec_" + "7" * 64,
        "GATEWAY_BUNDLED_ENGINE_ID": "eng-bundled",
        "GATEWAY_BUNDLED_ENGINE_TOKEN": new_engine_token(),
        **{f"GATEWAY_RATE_{kind}": "0" for kind in ("PER_ADDRESS", "PER_IP", "UNAUTHENTICATED", "STRICT")},
    }
    command = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "gateway.wsgi:app"]
    with server(
        command, folder / "gateway" / "address.json", folder / "gateway.log", **given | environ
    ) as at:
        yield at
