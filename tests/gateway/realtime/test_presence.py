"""Presence: the fence between an old link and a new one."""

from __future__ import annotations

import pytest

from gateway.realtime.presence import MemoryPresence
from shared.clock import ManualClock
from shared.contract.engine import GuiVitals

VITALS = GuiVitals(cpu_percent=1, memory_percent=2, is_busy=True)


@pytest.fixture
def presence(clock: ManualClock) -> MemoryPresence:
    return MemoryPresence(clock, timeout_seconds=120)


def test_an_engine_is_online_once_it_is_ready(presence: MemoryPresence) -> None:
    assert presence.connect("e", "s1") is None
    assert not presence.is_online("e")
    assert presence.announce("e", "s1")
    assert presence.is_online("e")
    assert presence.disconnect("e", "s1")
    assert not presence.is_online("e")
    assert presence.find("e") is None


def test_a_late_disconnect_of_an_old_link_changes_nothing(presence: MemoryPresence) -> None:
    presence.connect("e", "old")
    presence.announce("e", "old")
    replaced = presence.connect("e", "new")
    assert replaced is not None
    assert replaced.sid == "old"
    assert presence.is_online("e")
    for late in (presence.disconnect, presence.hear, presence.announce):
        assert late("e", "old") is False
    link = presence.find("e")
    assert link is not None
    assert (link.sid, link.epoch) == ("new", replaced.epoch + 1)
    assert presence.is_online("e")


def test_epochs_grow_over_all_engines(presence: MemoryPresence) -> None:
    epochs = []
    for engine in ("a", "b", "a"):
        presence.connect(engine, "s")
        link = presence.find(engine)
        assert link is not None
        epochs.append(link.epoch)
    assert epochs == sorted(set(epochs))


def test_silence_is_offline(presence: MemoryPresence, clock: ManualClock) -> None:
    presence.connect("e", "s")
    presence.announce("e", "s")
    clock.advance(120)
    assert not presence.is_online("e")
    assert presence.hear("e", "s", VITALS)
    assert presence.is_online("e")
    assert presence.heard_at("e") == clock.now_ms()


def test_the_last_vitals_are_kept(presence: MemoryPresence) -> None:
    presence.connect("e", "s")
    presence.hear("e", "s", VITALS)
    presence.hear("e", "s")
    link = presence.find("e")
    assert link is not None
    assert link.vitals == VITALS


def test_an_engine_that_is_away_was_not_heard(presence: MemoryPresence) -> None:
    assert presence.heard_at("e") is None
    assert presence.disconnect("e", "s") is False
    assert presence.hear("e", "s") is False
