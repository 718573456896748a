"""Clocks: the machine's, and one that tests move."""

from __future__ import annotations

import time

import pytest

from shared.clock import Clock, ManualClock, SystemClock, iso, read_iso


def test_the_system_clock_tells_the_time() -> None:
    clock: Clock = SystemClock()
    before = time.time_ns() // 1_000_000
    assert before <= clock.now_ms() <= before + 60_000
    assert clock.monotonic() <= clock.monotonic()


def test_a_manual_clock_stands_until_it_is_moved() -> None:
    clock = ManualClock()
    start, monotonic = clock.now_ms(), clock.monotonic()
    assert clock.now_ms() == start
    clock.advance(1.5)
    assert clock.now_ms() == start + 1500
    assert clock.monotonic() == pytest.approx(monotonic + 1.5)
    clock.advance(-2)
    assert clock.now_ms() == start - 500


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_766_000_000_123, "2025-12-17T19:33:20.123Z"),
        (1_766_000_000_007, "2025-12-17T19:33:20.007Z"),
        (951_782_400_999, "2000-02-29T00:00:00.999Z"),
    ],
)
def test_iso(ms: int, text: str) -> None:
    assert iso(ms) == text


def test_a_time_is_read_back() -> None:
    for ms in (0, 1, 999, 1_700_000_000_250, 253_402_300_799_999):
        assert read_iso(iso(ms)) == ms


@pytest.mark.parametrize("text", ["", "2026-11-21", "2026-11-21T08:30:00.25Z", "2026-11-21T08:30:00.2505Z"])
def test_only_its_own_spelling_is_a_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_iso(text)
