"""The waits between attempts."""

from __future__ import annotations

import random

import pytest

from core_engine.gateway_link.backoff import LEAST_SECONDS, Backoff


def test_ceilings_double_up_to_the_longest() -> None:
    backoff = Backoff(5.0, lambda: 1.0)
    assert [backoff.next() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    backoff.reset()
    assert backoff.next() == 0.5


def test_jitter_is_full_but_never_nothing() -> None:
    backoff = Backoff(30.0, lambda: 0.0)
    assert [backoff.next() for _ in range(3)] == [LEAST_SECONDS] * 3


def test_a_thousand_engines_spread_out() -> None:
    source = random.Random(1)
    waits = []
    for _ in range(1000):
        backoff = Backoff(30.0, source.random)
        waits.append(sum(backoff.next() for _ in range(5)))
    busiest = max(sum(1 for wait in waits if second <= wait < second + 1) for second in range(31))
    assert busiest < 250


def test_slow_is_about_the_longest() -> None:
    assert Backoff(30.0, lambda: 0.0).slow() == pytest.approx(22.5)
    assert Backoff(30.0, lambda: 1.0).slow() == pytest.approx(37.5)


def test_very_many_attempts_do_not_overflow() -> None:
    backoff = Backoff(30.0, lambda: 1.0)
    for _ in range(5000):
        assert backoff.next() <= 30.0
