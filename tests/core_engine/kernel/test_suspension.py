"""What a component may ask for when it has its step wait."""

from __future__ import annotations

from typing import Any

import pytest

from core_engine.kernel.suspension import LATEST_MS, Suspend


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"prompt": {"title": "no end"}},
        {"until_ms": 1.5},
        {"until_ms": -1},
        {"until_ms": LATEST_MS + 1},
        {"after_ms": "60"},
        {"signal": ""},
        {"signal": "two words"},
        {"until_ms": True},
        {"after_ms": 1, "prompt": "text"},
        {"after_ms": 1, "prompt": {"title": 5}},
    ],
)
def test_a_wait_that_cannot_be_kept_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wait"):
        Suspend(**wrong)


def test_the_sooner_time_counts() -> None:
    assert Suspend(signal="approval").due(5) is None
    assert Suspend(until_ms=3).due(5) == 3
    assert Suspend(after_ms=7).due(5) == 12
    assert Suspend(until_ms=10, after_ms=7).due(5) == 10
    assert Suspend(after_ms=LATEST_MS).due(5) == LATEST_MS
