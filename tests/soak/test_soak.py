"""The short form of `make soak`: real processes, 200 clients, random kills, and nothing may be lost or grow."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.soak.figures import Trend, _trend
from tests.support.platform import ROOT


@pytest.mark.timeout(900)
def test_a_minute_of_load_and_random_failures() -> None:
    """In a process of its own: of so many connections that die under it, some are left to the collector."""
    wanted = {"SOAK_MINUTES": "0.6", "SOAK_THINK": "10", "SOAK_KILL_SECONDS": "5"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak"], cwd=ROOT, env=wanted | os.environ, capture_output=True, text=True,
        timeout=850, check=False,
    )  # fmt: skip
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "acknowledged" in done.stdout


def test_what_grows_is_told_from_what_is_flat() -> None:
    flat = _trend("engine", "memory", [(at, 100 + at % 3) for at in range(30)])
    grown = _trend("engine", "memory", [(at, 100 + at) for at in range(30)])
    assert (flat.flat, grown.flat) == (True, False)
    assert grown.hourly == pytest.approx(3600)
    assert not Trend("engine", "descriptors", 40, 60, 0).flat
