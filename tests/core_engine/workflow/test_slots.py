"""The line for slots."""

from __future__ import annotations

from core_engine.workflow.slots import Slots


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
