"""Commands under way: at once where they need not wait, in the order of their coming, and never beyond their time."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from core_engine.commands.underway import Underway

_MARK: ContextVar[str] = ContextVar("test mark", default="")
LONG = 60.0


async def test_what_need_not_wait_is_over_at_once() -> None:
    underway, done = Underway(), []

    async def quick() -> None:
        done.append(True)

    assert underway.begin_at_once(quick(), "quick", "", LONG) is None
    assert done == [True]
    assert underway.tasks == []


async def test_what_waits_goes_on_as_a_task_of_its_own_in_one_context() -> None:
    underway, gate, seen = Underway(), asyncio.Event(), []

    async def waiting() -> None:
        _MARK.set("mine")
        await gate.wait()
        await asyncio.sleep(0)
        task = asyncio.current_task()
        seen.append((_MARK.get(), task.get_name() if task else ""))

    task = underway.begin_at_once(waiting(), "wait", "", LONG)
    assert task is not None
    assert _MARK.get() == "", "what a command sets is its own"
    gate.set()
    await task
    assert seen == [("mine", "command wait 1")]
    assert underway.tasks == []


async def test_no_command_begins_before_one_that_came_earlier() -> None:
    underway, order = Underway(), []

    async def note(name: str) -> None:
        order.append(name)

    first = underway.begin(note("first"), "first", "", LONG)
    second = underway.begin_at_once(note("second"), "second", "", LONG)
    assert order == []
    assert second is not None
    await asyncio.gather(first, second)
    assert order == ["first", "second"]
    assert underway.begin_at_once(note("third"), "third", "", LONG) is None


@pytest.mark.parametrize("at_once", [True, False])
async def test_what_takes_too_long_is_told_so_and_nobody_else(at_once: bool) -> None:
    underway, told, gate = Underway(), [], asyncio.Event()
    begin = underway.begin_at_once if at_once else underway.begin

    async def hang(name: str) -> None:
        try:
            await gate.wait()
            told.append(f"{name} went on")
        except asyncio.CancelledError:
            if not underway.is_late():
                raise
            await asyncio.sleep(0)  # it is not cancelled any more
            told.append(f"{name} is late")

    late, other = begin(hang("a"), "a", "", 0.05), begin(hang("b"), "b", "", LONG)
    assert late is not None
    assert other is not None
    await late
    assert told == ["a is late"]
    gate.set()
    await other
    assert told == ["a is late", "b went on"]


@pytest.mark.parametrize("yet", ["before its task took it over", "after that"])
async def test_closing_interrupts_a_command_where_it_waits(yet: str) -> None:
    underway, ended = Underway(), []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            assert not underway.is_late()
            raise
        finally:
            ended.append(True)

    assert underway.begin_at_once(hang(), "hang", "", LONG) is not None
    if yet == "after that":
        await asyncio.sleep(0)
    await underway.close()
    assert ended == [True]
    assert underway.tasks == []


async def test_a_command_that_waits_for_something_cancelled_does_not_end_its_caller() -> None:
    underway = Underway()
    dead: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    dead.cancel()

    async def touch() -> None:
        await dead

    assert underway.begin_at_once(touch(), "touch", "", LONG) is None
