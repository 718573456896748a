"""The peers that run on Node: fetched by npm into a cache, exactly as ``peers/package-lock.json`` says, and started."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import MissingError
from benchmarks.servers import ROOT, started

SOURCES = Path(__file__).parent / "peers"
CACHE = ROOT / "var" / "cache"
INSTALL_SECONDS = 600
FLAGS = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]


def folder() -> Path:
    """Return the folder with the peers and their packages, installed where they are missing; raises MissingError."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise MissingError("the peer needs Node and npm, which this machine does not have")
    lock = (SOURCES / "package-lock.json").read_bytes()
    place = CACHE / f"bench-peers-{hashlib.sha256(lock).hexdigest()[:16]}"
    place.mkdir(parents=True, exist_ok=True)
    with (CACHE / "bench-peers.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for file in SOURCES.iterdir():
            if file.is_file():
                shutil.copy(file, place)
        if not (place / "node_modules" / ".package-lock.json").exists():
            _install(place)
    return place


def _install(place: Path) -> None:
    try:
        done = subprocess.run(
            ["npm", "ci", *FLAGS],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise MissingError(f"npm did not fetch the peer within {INSTALL_SECONDS} s") from None
    if done.returncode:
        raise MissingError(f"npm could not fetch the peer: {done.stderr.strip()[-200:]}")


def version(package: str) -> str:
    """Return the version of a peer, for the table."""
    found = json.loads((SOURCES / "package-lock.json").read_text())["packages"][f"node_modules/{package}"]
    return str(found["version"])


@contextlib.contextmanager
def peer(script: str, scratch: Path) -> Iterator[dict[str, Any]]:
    """Start one of the scripts on the servers' core; yields what it wrote down of itself."""
    place = folder()
    address, log = scratch / f"{script}.json", scratch / f"{script}.log"
    environ = {"BENCH_ADDRESS": str(address), "BENCH_FOLDER": str(scratch), "NODE_ENV": "production"}
    with started(["node", str(place / script)], address, log, environ) as at:
        yield at


@contextlib.contextmanager
def node_red(scratch: Path, nodes: int) -> Iterator[str]:
    """Start Node-RED with a flow of so many function nodes between a request and its answer; yields its address."""
    names = [f"f{place}" for place in range(nodes)]
    common = {"z": "bench"}
    functions = [
        {
            "id": name, "type": "function", "func": "msg.payload.n = msg.payload.n + 1;\nreturn msg;",
            "outputs": 1, "wires": [[after]], **common,
        }
        for name, after in zip(names, [*names[1:], "out"], strict=True)
    ]  # fmt: skip
    flow = [
        {"id": "bench", "type": "tab", "label": "bench"},
        {"id": "in", "type": "http in", "url": "/run", "method": "post", "wires": [[names[0]]], **common},
        *functions,
        {"id": "out", "type": "http response", "statusCode": "200", "wires": [], **common},
    ]
    (scratch / "flows.json").write_text(json.dumps(flow))
    with peer("node_red.mjs", scratch) as at:
        yield f"{at['url']}/run"
