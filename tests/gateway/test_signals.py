"""Green threads that wait for signals go on in the order in which these were set, and by one timer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gateway.signals import Soon, signal_class
from tests.support.script import python


class Hub:
    """An event loop whose turns are made by hand."""

    def __init__(self) -> None:
        self.timers: list[Callable[[], None]] = []

    def schedule_call_global(self, seconds: float, call: Callable[[], None]) -> None:
        assert seconds == 0
        self.timers.append(call)

    def turn(self) -> None:
        due, self.timers = self.timers, []
        for call in due:
            call()


def test_what_is_due_in_one_turn_takes_one_timer_and_keeps_its_order() -> None:
    hub, called = Hub(), list[int]()
    soon = Soon(lambda: hub)
    for number in range(3):
        soon.call(lambda number=number: called.append(number))  # type: ignore[misc]
    soon.call(lambda: soon.call(lambda: called.append(4)))
    assert len(hub.timers) == 1
    hub.turn()
    assert called == [0, 1, 2], "what is asked for meanwhile waits for the next turn"
    assert len(hub.timers) == 1
    hub.turn()
    assert called == [0, 1, 2, 4]
    assert not hub.timers


def test_one_that_raises_holds_up_none_of_the_others() -> None:
    hub, called = Hub(), list[str]()
    soon = Soon(lambda: hub)

    def fail() -> None:
        raise ZeroDivisionError

    for function in (lambda: called.append("before"), fail, lambda: called.append("after")):
        soon.call(function)
    with pytest.raises(ZeroDivisionError):
        hub.turn()
    hub.turn()
    assert called == ["before", "after"]


def test_a_signal_that_is_set_is_not_waited_for() -> None:
    signal = signal_class(Hub, lambda: None)()
    assert not signal.is_set()
    signal.set()
    assert signal.is_set()
    assert signal.wait()


def test_green_threads_go_on_when_they_are_told_and_not_when_they_are_gone() -> None:
    script = """
from gateway import green
green.patch()
import eventlet
made, told = green.signals(), []
signals = [made() for _ in range(4)]
def wait(number):
    told.append((number, signals[number].wait(30)))
def impatient():
    told.append(("late", made().wait(0.01)))
waiting = [eventlet.spawn(wait, number) for number in range(4)]
late = eventlet.spawn(impatient)
eventlet.sleep(0)
for number in (2, 0, 1, 3):
    signals[number].set()
waiting[1].kill()
for number in (0, 2, 3):
    waiting[number].wait()
late.wait()
print(told)
"""
    assert python(script) == "[(2, True), (0, True), (3, True), ('late', False)]"
