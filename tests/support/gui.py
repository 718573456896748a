"""The project of the web GUI: built once for all the processes of the tests, its tools, its browser."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.platform import ROOT

GUI = ROOT / "gui"
PAGE = ROOT / "gateway" / "gui"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_LOCK = ROOT / "var" / "cache" / "gui.lock"
_UNREACHABLE = ("npm could not install", "could not be fetched")


def built_page() -> Path:
    """Install the packages and build the page where they are missing or old; others wait, and find it done."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("SKIPPED BY NAME: the web GUI's tests (Node is not installed)")
    _LOCK.parent.mkdir(parents=True, exist_ok=True)
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        script = ROOT / "deploy" / "setup" / "build_gui.py"
        # a page may be there without the packages that its tests need
        flags = ["--if-stale"] if _packages_are_there() else []
        done = subprocess.run(
            [sys.executable, str(script), *flags], capture_output=True, text=True, check=False
        )
        if any(words in done.stderr for words in _UNREACHABLE):
            pytest.skip(f"SKIPPED BY NAME: the web GUI's tests ({done.stderr[-300:]})")
        assert done.returncode == 0, done.stderr
    return PAGE


def run(*command: str, seconds: float, **environment: str) -> None:
    """Run a tool of the GUI's project; what it says is shown where it fails."""
    done = subprocess.run(
        ["npx", "--no-install", *command], cwd=GUI, env=os.environ | environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:]


def browse(*words: str, seconds: float, output: Path, **environment: str) -> None:
    """Run browser tests of the GUI's project against a platform that runs."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"SKIPPED BY NAME: the web GUI in a browser ({CHROMIUM} is not installed)")
    places = {"FLOWORK_E2E_OUTPUT": str(output), "CHROMIUM": CHROMIUM}
    run("playwright", "test", *words, seconds=seconds, **places, **environment)


def _packages_are_there() -> bool:
    lock, installed = GUI / "package-lock.json", GUI / "node_modules" / ".package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime
