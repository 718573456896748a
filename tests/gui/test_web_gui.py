"""The web GUI: its unit tests, its build, and a first visit in a real Chromium against the real platform."""

from __future__ import annotations

import fcntl
import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.platform import ROOT
from tests.support.up import running

GUI = ROOT / "gui"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
LOCK = ROOT / "var" / "cache" / "gui.lock"
MOST_INITIAL_BYTES = 300 * 1000


@pytest.fixture(scope="session")
def page_folder() -> Path:
    """Build the page where it is missing or old, as `make gui` does, once for all the processes of the tests."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("SKIPPED BY NAME: the web GUI's tests (Node is not installed)")
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        script = ROOT / "deploy" / "setup" / "build_gui.py"
        done = subprocess.run(
            [sys.executable, str(script), "--if-stale"], capture_output=True, text=True, check=False
        )
        if "npm could not install" in done.stderr or "could not be fetched" in done.stderr:
            pytest.skip(f"SKIPPED BY NAME: the web GUI's tests ({done.stderr[-300:]})")
        assert done.returncode == 0, done.stderr
    return ROOT / "gateway" / "gui"


def run(*command: str, seconds: float, **environment: str) -> None:
    """Run a tool of the GUI's project; what it says is shown where it fails."""
    done = subprocess.run(
        ["npx", "--no-install", *command], cwd=GUI, env=os.environ | environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.mark.timeout(600)
def test_units_types_and_style(page_folder: Path) -> None:
    run("tsc", "-p", ".", seconds=200)
    run("prettier", "--check", ".", seconds=100)
    run("vitest", "run", seconds=280)


def test_the_page_is_small_and_asks_nobody_else(page_folder: Path) -> None:
    index = (page_folder / "index.html").read_text()
    assert "http://" not in index
    assert "https://" not in index
    assert "<style" not in index
    loaded = [file for file in (page_folder / "assets").iterdir() if file.name in index]
    assert loaded
    packed = sum(len(gzip.compress(file.read_bytes())) for file in loaded if file.suffix == ".js")
    assert packed <= MOST_INITIAL_BYTES


@pytest.mark.timeout(900)
def test_in_a_browser(page_folder: Path, tmp_path: Path) -> None:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"SKIPPED BY NAME: the web GUI in a browser ({CHROMIUM} is not installed)")
    assert (page_folder / "index.html").is_file()
    with running(tmp_path, ENGINE_VITALS_SECONDS="0.5", GATEWAY_PAGE="auto") as up:
        claim = up.wait_line(r"(http://127\.0\.0\.1:\d+/#claim=\S+&engine=\S+)")
        run(
            "playwright", "test", seconds=840,
            FLOWORK_E2E_URL=claim.partition("/#")[0], FLOWORK_E2E_CLAIM=claim,
            FLOWORK_E2E_SOCKET=up.wait_line(r"Engine +(ws://\S+)"),
            FLOWORK_E2E_OUTPUT=str(tmp_path / "browser"), CHROMIUM=CHROMIUM,
        )  # fmt: skip
