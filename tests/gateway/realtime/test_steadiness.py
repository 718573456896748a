"""What pages are told of links that flap or fall silent."""

from __future__ import annotations

import pytest

from gateway.realtime.presence import MemoryPresence
from gateway.realtime.steadiness import HOLD_SECONDS, Steadiness
from shared.clock import ManualClock


class House:
    """One gateway's presence, and what it told of the engine ``e``: whether it is online, at each announcement."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.told: list[bool] = []
        self.presence = MemoryPresence(clock, 35)
        self.steadiness = Steadiness(self.presence, self.note, clock, 35)
        self.links = 0

    def note(self, engine_id: str) -> None:
        self.told.append(self.presence.is_online(engine_id))

    def come(self) -> None:
        self.links += 1
        self.presence.connect("e", f"s{self.links}")
        self.presence.announce("e", f"s{self.links}")
        self.steadiness.came("e")

    def leave(self) -> None:
        assert self.presence.disconnect("e", f"s{self.links}")
        self.steadiness.left("e")

    def live(self, seconds: int) -> None:
        """Let time go by with a sign of life and a look each second."""
        for _ in range(seconds):
            self.clock.advance(1)
            if self.presence.hear("e", f"s{self.links}"):
                self.steadiness.heard("e")
            self.steadiness.look()


@pytest.fixture
def house(clock: ManualClock) -> House:
    return House(clock)


def test_coming_and_going_is_told_at_once(house: House) -> None:
    house.come()
    house.live(5)
    house.leave()
    assert house.told == [True, False]


def test_of_many_losses_two_a_minute_are_told_at_once(house: House) -> None:
    house.come()
    for _ in range(15):  # a minute of flapping, two seconds each
        house.live(2)
        house.leave()
        house.live(2)
        house.come()
    assert house.told.count(False) == 2
    assert house.told[-1] is True


def test_a_loss_that_lasts_is_told_however_often_there_were_others(house: House) -> None:
    house.come()
    for _ in range(3):
        house.leave()
        house.come()
    house.leave()
    house.live(int(HOLD_SECONDS) - 1)
    assert house.told.count(False) == 2
    house.live(2)
    assert house.told[-1] is False
    house.live(120)
    assert house.told.count(False) == 3, "told once"
    assert house.steadiness._seen == {}, "and forgotten"


def test_an_engine_that_fell_silent_is_told_as_offline_once(house: House) -> None:
    house.come()
    house.live(100)
    assert house.told == [True]
    for _ in range(60):
        house.clock.advance(1)
        house.steadiness.look()
    assert house.told == [True, False]
    house.live(1)
    assert house.told == [True, False, True]


def test_an_engine_that_went_to_another_process_is_no_business_of_this_one(house: House) -> None:
    house.come()
    other = "another"
    house.presence.connect("e", other)
    house.presence.announce("e", other)
    for _ in range(60):
        house.clock.advance(1)
        house.presence.hear("e", other)
        house.steadiness.look()
    assert house.told == [True]
    assert house.steadiness._seen == {}
