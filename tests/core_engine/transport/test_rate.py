"""The token bucket as a table of moments."""

from __future__ import annotations

import pytest

from core_engine.transport.rate import TokenBucket


def test_a_second_of_messages_passes_at_once_then_they_wait() -> None:
    bucket = TokenBucket(10, now=100.0)
    assert [bucket.take(100.0) for _ in range(10)] == [0.0] * 10
    assert bucket.take(100.0) == pytest.approx(0.1)
    assert bucket.take(100.101) == 0.0
    assert bucket.take(100.101) > 0


def test_idle_time_saves_no_more_than_a_second() -> None:
    bucket = TokenBucket(5, now=0.0)
    assert [bucket.take(1000.0) for _ in range(5)] == [0.0] * 5
    assert bucket.take(1000.0) > 0


def test_a_penalty_is_paid_back_before_the_next_message() -> None:
    bucket = TokenBucket(100, now=0.0)
    bucket.penalise(150)
    assert bucket.take(0.0) == pytest.approx(0.51)
    bucket.penalise(1_000_000)
    assert bucket.take(0.0) == pytest.approx(1.01), "no penalty locks a connection for ever"
    assert bucket.take(1.02) == 0.0
