"""The real thread beside green ones: it holds up nobody, and what it runs ends where it was asked for."""

from __future__ import annotations

from tests.support.script import python


def test_what_runs_apart_holds_up_nobody_and_its_errors_arrive() -> None:
    script = """
from gateway import green
green.patch()
import eventlet, eventlet.patcher
threading = eventlet.patcher.original("threading")
released, turns = threading.Event(), []
def others():
    for _ in range(3):
        turns.append("turn")
        eventlet.sleep(0)
    released.set()
eventlet.spawn(others)
def wait():
    return released.wait(30), threading.get_ident()
apart = green.apart()
waited, thread = apart(wait)
again = apart(threading.get_ident)
try:
    apart(lambda: 1 // 0)
except ZeroDivisionError as error:
    problem = str(error)
print(waited, len(turns), thread == again != threading.get_ident(), problem)
"""
    assert python(script) == "True 3 True integer division or modulo by zero"


def test_who_waits_no_longer_is_not_waited_for() -> None:
    script = """
from gateway import green
green.patch()
import eventlet, eventlet.patcher
released = eventlet.patcher.original("threading").Event()
apart = green.apart()
gone = eventlet.spawn(apart, lambda: released.wait(30))
eventlet.sleep(0)
gone.kill()
others = [eventlet.spawn(apart, lambda number=number: number) for number in range(3)]
eventlet.sleep(0)
released.set()
print([each.wait() for each in others])
"""
    assert python(script) == "[0, 1, 2]"
