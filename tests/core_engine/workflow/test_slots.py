"""The line for slots."""

from __future__ import annotations

from core_engine.workflow.slots import KeyedSlots, Slots


def test_slots_are_given_in_the_order_of_asking():
    woken: list[str] = []
    idle: list[bool] = []
    slots: Slots[str] = Slots(2, woken.append, lambda: idle.append(True))
    assert slots.take("a")
    assert slots.take("b")
    assert not slots.take("c")
    assert not slots.take("d")
    assert not slots.take("c")
    slots.give()
    assert (woken, slots.used) == (["c"], 1)
    assert slots.take("c")
    slots.leave("d")
    slots.leave("nobody")
    slots.give()
    assert woken == ["c"]
    assert not idle
    slots.give()
    assert (slots.used, idle) == (0, [True])


def test_a_slot_that_the_woken_one_does_not_want_is_passed_on():
    woken: list[str] = []
    slots: Slots[str] = Slots(1, woken.append, lambda: None)
    assert slots.take("a")
    assert not slots.take("b")
    assert not slots.take("c")
    slots.give()
    assert woken == ["b"]
    slots.pass_on()  # b had its turn and has nothing to do any more
    assert woken == ["b", "c"]
    assert slots.take("c")
    assert not slots.take("d")
    assert not slots.take("e")
    slots.give()
    slots.leave("e")
    assert woken == ["b", "c", "d"]
    slots.leave("d")
    assert slots.used == 0


def test_a_key_is_taken_so_often_and_all_who_asked_are_woken():
    woken: list[str] = []
    keys: KeyedSlots[str] = KeyedSlots(woken.append)
    assert keys.take("a", "api", 2)
    assert keys.take("b", "api", 2)
    assert keys.take("b", "other", 1)
    assert not keys.take("c", "api", 2)
    assert not keys.take("d", "api", 2)
    assert not keys.take("d", "other", 1)
    keys.leave("d")
    keys.give("other")
    assert woken == []
    keys.give("api")
    assert woken == ["c"]
    assert keys.take("d", "api", 2)
    assert not keys.take("c", "api", 2)
    keys.leave("c")
    keys.give("api")
    keys.give("api")
    assert woken == ["c"]


def test_a_step_that_outlived_the_engine_counts_under_its_key():
    keys: KeyedSlots[str] = KeyedSlots(lambda _: None)
    keys.retake("api")
    assert not keys.take("a", "api", 1)
    keys.give("api")
    assert keys.take("a", "api", 1)
