"""How often an engine is asked to judge a claim."""

from __future__ import annotations

import pytest

from gateway.resources.engines.claim_limits import ATTEMPTS, WINDOW_SECONDS, ClaimLimits
from shared.clock import ManualClock
from shared.errors import ErrorCode, FloworkError


def test_attempts_are_counted_per_engine_and_forgotten(clock: ManualClock) -> None:
    limits = ClaimLimits(clock)
    for _ in range(ATTEMPTS):
        with limits.attempt("a"):
            pass
    with pytest.raises(FloworkError) as refused, limits.attempt("a"):
        raise AssertionError
    assert refused.value.code is ErrorCode.RATE_LIMITED
    assert refused.value.retry_after == WINDOW_SECONDS
    with limits.attempt("b"):
        pass
    clock.advance(WINDOW_SECONDS)
    with limits.attempt("a"):
        pass
    assert set(limits._recent) == {"a"}


def test_a_failed_attempt_makes_way_for_the_next(clock: ManualClock) -> None:
    limits = ClaimLimits(clock)
    with pytest.raises(KeyError), limits.attempt("a"):
        raise KeyError
    with limits.attempt("a"), pytest.raises(FloworkError), limits.attempt("a"):
        raise AssertionError
