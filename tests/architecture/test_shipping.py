"""What is shipped: importing it asks no network and writes nothing, and the wheel is the same each time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Run in an own process: every module is imported under an audit hook that names what import may not do.
_IMPORT_ALL = """
import importlib, os, pkgutil, sys

REACHING = {"socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.fork"}
ENTRIES = ("__main__", ".migrations.env", "gateway.green", "gateway.production", "gateway.wsgi")  # run, not imported
found = []

def watch(event, details):
    if event == "socket.bind" and details[1] == ("::1", 0):
        return  # urllib3 looks whether this machine has IPv6
    if event in REACHING:
        found.append((event, repr(details)[:200]))
    elif event == "open" and isinstance(details[1], str) and set(details[1]) & set("wax+"):
        name = str(details[0])
        if isinstance(details[0], int) or name.startswith("/dev/") or "__pycache__" in name:
            return  # a number: the interpreter writes compiled code
        found.append((event, repr(details)[:200]))

if "core_engine" in sys.argv:
    import asyncssh  # looks for a library of the system with the help of its tools

sys.addaudithook(watch)
for package in sys.argv[1:]:
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, package + "."):
        if not module.name.endswith(ENTRIES):
            importlib.import_module(module.name)
            assert not found, (module.name, found)
print(len(sys.modules))
"""


@pytest.mark.parametrize(
    "packages", [("shared", "core_engine"), ("shared", "flowork"), ("shared", "gateway")]
)
def test_importing_asks_no_network_starts_nothing_and_writes_nothing(packages: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, *packages],
        cwd=ROOT, capture_output=True, text=True, timeout=250, check=False,
        env={**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 200


def test_the_wheel_is_the_same_each_time(tmp_path: Path) -> None:
    sums = []
    for number in range(2):
        target = tmp_path / str(number)
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
            cwd=ROOT, capture_output=True, check=True, timeout=250,
        )  # fmt: skip
        (wheel,) = target.glob("*.whl")
        sums.append(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert sums[0] == sums[1]
