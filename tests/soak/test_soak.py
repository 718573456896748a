"""The short form of `make soak`: real processes, 200 clients, random kills, and nothing may be lost or grow."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import Any

import pytest
import socketio

from tests.soak.chaos import Act, Chaos
from tests.soak.clients import LostError, _how
from tests.soak.figures import Trend, _trend
from tests.soak.verdict import Judge
from tests.soak.work import Book, Started, Try, World
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


def judge(*acts: Act) -> Judge:
    nothing: Any = None
    chaos = Chaos(nothing, random.Random(0), 1)
    chaos.acts += acts
    return Judge(nothing, World(), Book(), chaos)


def test_a_start_that_was_asked_for_again_and_again_and_never_answered_is_a_fault() -> None:
    silent = [Try(at, at + 1, at + 16, "silence") for at in (0.0, 20.0, 40.0)]
    run = Started("job", "pure", {}, 0.0, tries=[*silent, Try(60, None, 61, "OSError")])
    assert run.tries[0].told == "asked: silence"
    assert run.tries[3].told == "not asked: OSError"
    assert judge().silences(run) == ["pure job: asked 3 times on connections that held, and never answered"]
    assert judge(Act("freeze gateway", 30, 34)).silences(run) == []
    assert judge(Act("freeze gateway", 17, 19.5)).silences(run) != []
    run.tries.pop(0)
    assert judge().silences(run) == []


def test_why_a_try_came_to_nothing_is_told_apart() -> None:
    assert _how(LostError("RATE_LIMITED")) == "RATE_LIMITED"
    assert _how(TimeoutError()) == "silence"
    assert _how(socketio.exceptions.TimeoutError()) == "silence"
    assert _how(ConnectionResetError()) == "ConnectionResetError"
