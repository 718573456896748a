"""The replay window: once means once, for as long as it matters."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ErrorCode, FloworkError
from shared.signing.replay import GRACE_MS, ReplayEntry, ReplayWindow, UncheckedReplays
from tests.shared.signing.examples import NOW, outcome, refused

LIFE = 300_000 + GRACE_MS


def key(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


def test_a_key_is_admitted_once() -> None:
    window = ReplayWindow()
    assert window.admit(key(1), NOW, NOW) == ReplayEntry(key(1), NOW + LIFE)
    with refused(ErrorCode.REPLAYED):
        window.admit(key(1), NOW, NOW)
    window.admit(key(2), NOW, NOW)
    assert len(window) == 2


def test_it_is_remembered_as_long_as_its_time_is_accepted() -> None:
    window = ReplayWindow()
    ahead = NOW + 300_000
    window.admit(key(1), ahead, NOW)
    with refused(ErrorCode.REPLAYED):
        window.admit(key(1), ahead, ahead + 300_000)


def test_it_is_remembered_to_the_last_millisecond() -> None:
    window = ReplayWindow()
    entry = window.admit(key(1), NOW, NOW)
    with refused(ErrorCode.REPLAYED):
        window.admit(key(1), NOW, entry.expires_ms - 1)


def test_what_expires_in_this_very_moment_is_still_told_apart() -> None:
    loaded, now = ReplayWindow(), NOW - NOW % 10_000 + 5000
    loaded.load([ReplayEntry(key(1), now + 1)], now)
    with refused(ErrorCode.REPLAYED):
        loaded.admit(key(1), now + 1 - LIFE, now)
    assert loaded.admit(key(2), now + 1 - LIFE, now).expires_ms == now + 1


def test_it_is_forgotten_afterwards() -> None:
    window = ReplayWindow()
    for number in range(100):
        window.admit(key(number), NOW + number * 1000, NOW)
    window.admit(key(200), NOW + 2 * LIFE, NOW + 2 * LIFE)
    assert len(window) == 1


def test_a_clock_that_is_set_back_does_not_open_the_window_again() -> None:
    window = ReplayWindow()
    window.admit(key(1), NOW, NOW)
    later = NOW + 3_600_000
    window.admit(key(2), later, later)
    with refused(ErrorCode.STALE):
        window.admit(key(1), NOW, NOW)


def test_a_full_window_refuses_and_recovers() -> None:
    window = ReplayWindow(capacity=3)
    for number in range(3):
        window.admit(key(number), NOW, NOW)
    with refused(ErrorCode.RATE_LIMITED):
        window.admit(key(3), NOW, NOW)
    with refused(ErrorCode.REPLAYED):
        window.admit(key(0), NOW, NOW)
    window.admit(key(3), NOW + LIFE + 10_000, NOW + LIFE + 10_000)


def test_a06_stored_entries_hold_after_a_restart() -> None:
    before = ReplayWindow()
    entries = [before.admit(key(number), NOW, NOW) for number in range(5)]
    after = ReplayWindow()
    after.load([*entries * 3, ReplayEntry(key(9), NOW - 20_000)], NOW + 1000)
    assert len(after) == 5
    for number in range(5):
        with refused(ErrorCode.REPLAYED):
            after.admit(key(number), NOW, NOW + 1000)
    after.admit(key(5), NOW, NOW + 1000)


@settings(deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 20), st.integers(-300_000, 300_000), st.integers(0, 400_000)), max_size=60
    )
)
def test_p7_no_key_is_ever_admitted_twice_while_its_time_is_fresh(steps: list[tuple[int, int, int]]) -> None:
    window, now = ReplayWindow(), NOW
    signed: dict[int, int] = {}
    admitted: set[int] = set()
    for number, offset, pause in steps:
        now += pause
        at = signed.setdefault(number, now + offset)
        if abs(now - at) > 300_000:
            continue  # the time check comes first
        answer = outcome(lambda at=at, number=number, now=now: window.admit(key(number), at, now))
        assert answer == (ErrorCode.REPLAYED if number in admitted else ReplayEntry(key(number), at + LIFE))
        admitted.add(number)


def test_an_entry_that_another_process_made_is_used_once() -> None:
    entry = UncheckedReplays().admit(key(1), NOW, NOW)
    assert UncheckedReplays().admit(key(1), NOW, NOW) == entry
    window = ReplayWindow()
    window.use(entry, NOW)
    with refused(ErrorCode.REPLAYED):
        window.use(entry, NOW)
    with refused(ErrorCode.REPLAYED):
        window.admit(key(1), NOW, NOW)
    with refused(ErrorCode.STALE):
        ReplayWindow().use(entry, NOW + 3_600_000)


def test_the_documented_bounds() -> None:
    """A text is accepted for 300 s on each side; a minute more is remembered, in steps of ten seconds."""
    assert (GRACE_MS, LIFE) == (60_000, 360_000)
    window = ReplayWindow()
    assert (window._window_ms, window._capacity) == (600_000, 2_000_000)
    start = NOW - NOW % 10_000
    for offset in (0, 9_999, 10_000):
        window.admit(key(offset), start + offset - LIFE, start)
    assert sorted(len(bucket) for bucket in window._buckets.values()) == [1, 2]
    window.admit(key(1), start + 20_000, start + 9_999)
    assert len(window) == 4
    window.admit(key(2), start + 20_000, start + 10_000)
    assert len(window) == 3


def test_a_fresh_window_admits_what_expired_when_time_began() -> None:
    window = ReplayWindow()
    assert window.admit(key(1), -LIFE, 0) == ReplayEntry(key(1), 0)
    with refused(ErrorCode.STALE):
        ReplayWindow().admit(key(1), -LIFE - 1, -20_000)


def test_an_entry_cannot_be_changed() -> None:
    """What was admitted is what is stored."""
    entry = ReplayEntry(key(1), NOW)
    with pytest.raises(AttributeError):
        entry.expires_ms = NOW + 1  # type: ignore[misc]


def test_a_full_window_says_when_to_try_again() -> None:
    window = ReplayWindow(capacity=0)
    with pytest.raises(FloworkError) as caught:
        window.admit(key(1), NOW, NOW)
    assert caught.value.code is ErrorCode.RATE_LIMITED
    assert caught.value.retry_after == 10


def test_what_is_remembered_is_looked_through_only_when_time_has_passed() -> None:
    """Forgetting costs nothing per message."""
    looked: list[int] = []

    class Watched(dict[int, set[bytes]]):
        def __iter__(self) -> Any:
            looked.append(len(self))
            return super().__iter__()

    window = ReplayWindow()
    window._buckets = Watched()
    for number in range(5):
        window.admit(key(number), NOW, NOW)
    assert len(looked) == 1
    window.admit(key(9), NOW + 10_000, NOW + 10_000)
    assert len(looked) == 2
