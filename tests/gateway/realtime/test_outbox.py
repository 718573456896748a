"""What is to be sent is sent once, whole and in order, whether or not the other side keeps up."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from engineio.packet import MESSAGE, Packet

from gateway.realtime.outbox import PIECE_BYTES, Outbox, Turns
from gateway.realtime.ws_frames import text_frame


class Line:
    """A way that takes some bytes at once, and the rest only from who waits."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.room = room
        self.came = b""
        self.offers = 0
        self.broken = False
        self.hung_up = False

    def offer(self, data: bytes) -> int:
        if self.broken:
            raise BrokenPipeError
        self.offers += 1
        taken = min(self.room, len(data))
        self.room -= taken
        self.came += data[:taken]
        return taken

    def send(self, data: bytes) -> None:
        if self.broken:
            raise TimeoutError
        self.came += data

    def hang_up(self) -> None:
        self.hung_up = True


class Loop:
    """An event loop that is turned by hand."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []
        self.tasks: list[Callable[[], None]] = []
        self.turns = Turns(self.calls.append, lambda task, *args: self.tasks.append(lambda: task(*args)))

    def turn(self) -> None:
        calls, self.calls[:] = list(self.calls), []
        for call in calls:
            call()

    def work(self) -> None:
        while self.tasks:
            self.tasks.pop(0)()


def packets(*texts: str) -> list[Any]:
    return [Packet(MESSAGE, text) for text in texts]


def wire(*texts: str) -> bytes:
    return b"".join(text_frame(f"4{text}".encode()) for text in texts)


def test_what_comes_in_one_turn_is_written_in_one_piece() -> None:
    loop, first, second = Loop(), Line(), Line()
    one, other = Outbox(first, loop.turns), Outbox(second, loop.turns)
    for packet in packets("a", "b"):
        one.put(packet)
    other.put(packets("c")[0])
    assert (one.qsize(), first.offers, len(loop.calls)) == (2, 0, 1)
    loop.turn()
    assert (first.came, first.offers, one.qsize()) == (wire("a", "b"), 1, 0)
    assert second.came == wire("c")
    assert not loop.tasks
    one.put(packets("d")[0])
    loop.turn()
    assert first.came == wire("a", "b", "d")


def test_a_slow_reader_is_waited_for_by_a_task_only() -> None:
    loop, line = Loop(), Line(room=3)
    outbox = Outbox(line, loop.turns)
    outbox.put(packets("first")[0])
    loop.turn()
    assert (len(line.came), len(loop.tasks), outbox.is_writing) == (3, 1, True)
    for packet in packets("second", "third"):
        outbox.put(packet)
    outbox.flush()
    loop.turn()
    assert (len(line.came), outbox.qsize(), len(loop.tasks)) == (3, 2, 1)
    loop.work()
    assert line.came == wire("first", "second", "third")
    assert not outbox.is_writing
    line.room = 100
    outbox.put(packets("fourth")[0])
    loop.turn()
    assert line.came == wire("first", "second", "third", "fourth")


def test_large_amounts_go_in_pieces() -> None:
    loop, line = Loop(), Line()
    outbox = Outbox(line, loop.turns)
    texts = ["x" * 40_000] * 5
    for packet in packets(*texts):
        outbox.put(packet)
    loop.turn()
    assert line.came == wire(*texts)
    assert 1 < line.offers <= 5 * 40_000 // PIECE_BYTES + 1


@pytest.mark.parametrize("room", [1_000_000, 3])
def test_the_end_comes_after_everything_else(room: int) -> None:
    loop, line = Loop(), Line(room)
    outbox = Outbox(line, loop.turns)
    outbox.put(packets("last words")[0])
    outbox.put(None)
    outbox.put(packets("too late")[0])
    assert not line.hung_up
    loop.turn()
    loop.work()
    assert line.came == wire("last words")
    assert line.hung_up


@pytest.mark.parametrize("later", [False, True])
def test_a_broken_connection_is_ended_and_takes_nothing_more(later: bool) -> None:
    loop, line = Loop(), Line(room=1)
    outbox = Outbox(line, loop.turns)
    line.broken = not later
    for packet in packets("a", "b"):
        outbox.put(packet)
    loop.turn()
    line.broken = True
    loop.work()
    assert line.hung_up
    outbox.add(b"a pong")
    outbox.put(packets("c")[0])
    assert not loop.calls
    loop.work()
    assert len(line.came) <= 1


def test_what_goes_wrong_with_one_keeps_no_other_from_being_written(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty(Line):
        def offer(self, data: bytes) -> int:
            raise RuntimeError(data)

    loop, bad, good = Loop(), Faulty(), Line()
    outboxes = [Outbox(line, loop.turns) for line in (bad, good)]
    for outbox in outboxes:
        outbox.put(packets("a")[0])
    with caplog.at_level(logging.ERROR):
        loop.turn()
    assert good.came == wire("a")
    assert bad.hung_up
    assert len([record for record in caplog.records if record.exc_info]) == 1
    for outbox in outboxes:
        outbox.put(packets("b")[0])
    loop.turn()
    assert good.came == wire("a", "b")


def test_bytes_are_counted_until_they_are_begun_to_be_sent() -> None:
    loop, line = Loop(), Line(room=3)
    outbox = Outbox(line, loop.turns)
    outbox.put(packets("first")[0])
    assert outbox.unsent_bytes == len(wire("first"))
    loop.turn()
    assert outbox.unsent_bytes == 0
    for packet in packets("second", "third"):
        outbox.put(packet)
    assert outbox.unsent_bytes == len(wire("second", "third"))
    outbox.forget()
    assert (outbox.unsent_bytes, outbox.qsize()) == (0, 0)
    outbox.put(packets("last")[0])
    outbox.put(None)
    loop.work()
    assert line.came == wire("first", "last")
    assert line.hung_up
    outbox.add(b"too late")
    assert outbox.unsent_bytes == 0


def test_a_pong_goes_out_before_what_waits_for_a_slow_reader() -> None:
    loop, line = Loop(), Line(room=3)
    outbox = Outbox(line, loop.turns)
    outbox.put(packets("first")[0])
    loop.turn()
    outbox.put(packets("second")[0])
    outbox.pong = b"the last pong"
    loop.work()
    assert line.came == wire("first") + b"the last pong" + wire("second")
    assert not outbox.pong
