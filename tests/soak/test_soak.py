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
from tests.soak.fuse import GIVEN_UP, rightly_given_up
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


def told(*moments: tuple[str, int, float]) -> list[dict[str, Any]]:
    """The events of a step in a run: status, attempt and monotonic time, where Unix time began at -1000."""
    return [
        {"type": "NODE_EXECUTION_METRIC", "node_id": "nap", "status": status, "attempt": attempt,
         "timestamp": 1000 + at, "error": f"The engine ended while this step ran{GIVEN_UP}"}
        for status, attempt, at in moments
    ]  # fmt: skip


def test_a_step_is_given_up_rightly_only_after_three_beginnings_that_kills_cut_off() -> None:
    kills = [Act("kill engine", at, at + 3) for at in (10.0, 20.0, 30.0)]
    begun = [("RUNNING", 1, 9.0), ("RUNNING", 2, 13.0), ("RUNNING", 3, 22.5)]
    history = told(*begun, ("ERROR", 3, 33.0))
    assert rightly_given_up(history, kills, 1000)
    assert not rightly_given_up(history, kills[:2], 1000)
    assert not rightly_given_up(history, [*kills[:2], Act("freeze engine", 30, 33)], 1000)
    assert not rightly_given_up(history, [*kills[:2], Act("kill engine", 34, 37)], 1000), (
        "it had ended by then"
    )
    assert not rightly_given_up(told(*begun[:2], ("ERROR", 2, 33.0)), kills, 1000), "it began twice only"
    assert not rightly_given_up(told(*begun), kills, 1000), "it did not fail"
    other = [frame | {"error": "It broke."} for frame in history]
    assert not rightly_given_up(other, kills, 1000)
    elsewhere = [frame | {"node_id": frame["status"]} for frame in history]
    assert not rightly_given_up(elsewhere, kills, 1000)
