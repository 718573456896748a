"""Starts what is measured: real processes on loopback, kept to one core while the load has the other."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import cores
from shared.ids import new_engine_token

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 10.0
SHOWN_CHARS = 600
OURS = ("GATEWAY_", "ENGINE_", "FLOWORK_", "BENCH_")
SERVICE_KEY = "flork_sec_" + "7" * 64
ENGINE_ID = "engine-1"


@contextlib.contextmanager
def started(
    command: Sequence[str], address: Path, log: Path, environ: dict[str, str], *, on: Sequence[int] = ()
) -> Iterator[dict[str, Any]]:
    """Start a program that writes down where it listens, and yield that with its ``process``; it ends with the block.

    ``on`` are its cores, by default the one for servers.
    """
    address.parent.mkdir(parents=True, exist_ok=True)
    address.unlink(missing_ok=True)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)  # else every start would compile all of the source again
    chosen = set(on) or {cores.SERVER}
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=clean | environ, stdout=output, stderr=output,
            preexec_fn=lambda: os.sched_setaffinity(0, chosen),  # noqa: PLW1509 - no threads yet
        )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (address.exists() and address.stat().st_size):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[-1]} did not start: {log.read_text()[-SHOWN_CHARS:]}")
            time.sleep(0.005)
        yield json.loads(address.read_text()) | {"process": process.pid}
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        process.kill()
        process.wait(STOP_SECONDS)


def server(
    words: Sequence[str], address: Path, log: Path, environ: dict[str, str], *, on: Sequence[int] = ()
) -> contextlib.AbstractContextManager[dict[str, Any]]:
    """Start a Python program, by what comes after the interpreter's name."""
    return started([sys.executable, *words], address, log, environ, on=on)


def engine(
    folder: Path, owner: str, environ: dict[str, str] | None = None, *, on: Sequence[int] = ()
) -> contextlib.AbstractContextManager[dict[str, Any]]:
    """Start an engine that belongs to the address, without a gateway; yields its `Address` as a dictionary."""
    given = {
        "FLOWORK_ENGINE_ID": ENGINE_ID,
        "FLOWORK_OWNER_ADDRESS": owner,
        "FLOWORK_DATA_DIR": str(folder),
        "GATEWAY_URL": "",
        "ENGINE_SOCKET_PORT": "0",
        "ENGINE_HTTP_PORT": "0",
        "ENGINE_MESSAGES_PER_SECOND": "1000000",
    }
    address, log = folder / "engine" / "address.json", folder / "engine.log"
    return server(["-m", "core_engine"], address, log, given | (environ or {}), on=on)


def gateway(folder: Path) -> contextlib.AbstractContextManager[dict[str, Any]]:
    """Start a gateway under gunicorn with one worker, without limits on its requests."""
    given = {
        "FLOWORK_DATA_DIR": str(folder),
        "GATEWAY_PORT": "0",
        "GATEWAY_PAGE": "plain",
        "GATEWAY_SECRET_TOKEN": SERVICE_KEY,
        "GATEWAY_BUNDLED_ENGINE_ID": "eng-bundled",
        "GATEWAY_BUNDLED_ENGINE_TOKEN": new_engine_token(),
        **{f"GATEWAY_RATE_{kind}": "0" for kind in ("PER_ADDRESS", "PER_IP", "UNAUTHENTICATED", "STRICT")},
    }
    command = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "gateway.wsgi:app"]
    address, log = folder / "gateway" / "address.json", folder / "gateway.log"
    return server(command, address, log, given)
