"""A loop that stands still is noticed from outside of it."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from core_engine.http.watchdog import LoopWatchdog
from shared.clock import SystemClock


def stand_still() -> None:
    time.sleep(0.6)


async def test_a_stall_is_logged_once_with_the_guilty_line(caplog: pytest.LogCaptureFixture) -> None:
    watchdog = LoopWatchdog(SystemClock(), stall_seconds=0.2)
    with caplog.at_level(logging.ERROR):
        watchdog.start()
        stand_still()
        await asyncio.sleep(0.1)
        watchdog.stop()
    (record,) = caplog.records
    assert "stand_still" in record.getMessage()


async def test_a_lively_loop_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    watchdog = LoopWatchdog(SystemClock(), stall_seconds=0.5)
    watchdog.start()
    for _ in range(10):
        await asyncio.sleep(0.02)
    watchdog.stop()
    assert caplog.records == []
    assert not watchdog._thread.is_alive()
