"""The short form of `make soak`: real processes, 200 clients, random kills, and nothing may be lost or grow."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.soak.figures import Trend, _trend
from tests.soak.soak import Plan, soak


@pytest.mark.timeout(900)
async def test_a_minute_of_load_and_random_failures(tmp_path: Path) -> None:
    minutes = float(os.environ.get("SOAK_MINUTES", "0.8"))
    seed = int(os.environ.get("SOAK_SEED", "0")) or random.randrange(1, 2**31)
    plan = Plan(minutes, clients=200, seed=seed, think=10, kill_seconds=5.0)
    report = await soak(tmp_path / "platform", plan, print)
    report.show(print)
    assert report.faults == []
    assert report.acknowledged >= plan.clients / 2
    assert sum(report.acts.values()) >= plan.least_acts
    assert {trend.who for trend in report.trends} == {"engine", "gateway"}
    assert [trend for trend in report.trends if not trend.flat] == []


def test_what_grows_is_told_from_what_is_flat() -> None:
    flat = _trend("engine", "memory", [(at, 100 + at % 3) for at in range(30)])
    grown = _trend("engine", "memory", [(at, 100 + at) for at in range(30)])
    assert (flat.flat, grown.flat) == (True, False)
    assert grown.hourly == pytest.approx(3600)
    assert not Trend("engine", "descriptors", 40, 60, 0).flat
