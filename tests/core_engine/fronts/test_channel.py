"""The connection between two processes: who gets in, what comes through, and what a meddler can do to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from core_engine.fronts.channel import (
    Channel,
    NetworkChannel,
    StrangerError,
    local_pair,
    meet_front,
    meet_leader,
)
from core_engine.fronts.sealing import LinkKey, Meeting, Seal
from tests.support.tcp import serving

KEY = LinkKey(b"k" * 32, "engine-1")
MOST = 4096
Pair = tuple[Channel, Channel]


class Listener:
    """The leading process's side; ``met`` becomes its channel, or why there is none."""

    def __init__(self, key: LinkKey = KEY, epoch: int = 7) -> None:
        self.met: asyncio.Future[NetworkChannel] = asyncio.get_running_loop().create_future()
        self._key, self._epoch = key, epoch

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.met.set_result(await meet_front(reader, writer, self._key, self._epoch, MOST))
        except (StrangerError, TimeoutError) as error:
            self.met.set_exception(error)
            writer.transport.abort()


@asynccontextmanager
async def network_pair() -> AsyncIterator[Pair]:
    listener = Listener()
    async with serving(listener) as port:
        front = await meet_leader("127.0.0.1", port, KEY, 7)
        leader = await asyncio.wait_for(listener.met, 30)
        yield front, leader
        front.close()
        leader.close()


@asynccontextmanager
async def inside_pair() -> AsyncIterator[Pair]:
    yield local_pair()


@pytest.mark.parametrize("pair", [network_pair, inside_pair])
async def test_records_come_in_order_both_ways_and_then_the_end(pair) -> None:
    async with asyncio.timeout(60), pair() as (front, leader):
        for number in range(50):
            front.post(b"%d" % number * 10)
            leader.post(b"x" * 100_000)
        await front.drain()
        assert [await leader.receive() for _ in range(50)] == [b"%d" % number * 10 for number in range(50)]
        drained = asyncio.create_task(leader.drain())
        assert [len(await front.receive() or b"") for _ in range(50)] == [100_000] * 50
        await drained
        assert leader.backlog == 0
        front.close()
        assert await leader.receive() is None
        front.post(b"dropped")
        assert await front.receive() is None


@pytest.mark.parametrize(
    ("key", "epoch"),
    [(LinkKey(b"x" * 32, "engine-1"), 7), (LinkKey(b"k" * 32, "engine-2"), 7), (KEY, 8)],
    ids=["another secret", "another engine", "another epoch"],
)
async def test_a_front_links_only_to_the_leading_process_of_its_engine(key: LinkKey, epoch: int) -> None:
    listener = Listener()
    async with serving(listener) as port:
        with pytest.raises(StrangerError):
            await meet_leader("127.0.0.1", port, key, epoch)
        with pytest.raises(StrangerError):
            await asyncio.wait_for(listener.met, 30)


async def test_a_stranger_who_copies_the_leaders_proof_is_refused() -> None:
    listener = Listener()
    async with serving(listener) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"n" * 32)
        answer = await reader.readexactly(72)
        writer.write(answer[-32:])  # reflection: the proof of the other side
        with pytest.raises(StrangerError, match="key"):
            await asyncio.wait_for(listener.met, 30)
        writer.close()


async def test_a_stranger_who_says_nothing_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core_engine.fronts.channel.MEETING_SECONDS", 0.05)
    listener = Listener()
    async with serving(listener) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.wait([listener.met], timeout=30)
        assert isinstance(listener.met.exception(), TimeoutError)
        writer.close()


async def test_a_record_beyond_the_bound_is_not_read() -> None:
    async with network_pair() as (front, leader):
        front.post(b"x" * (MOST + 1))
        with pytest.raises(ValueError, match="bound"):
            await asyncio.wait_for(leader.receive(), 30)


def test_a_record_that_was_changed_repeated_left_out_or_sent_back_does_not_open() -> None:
    meeting = Meeting(b"f" * 32, b"l" * 32, 1)

    def fresh() -> tuple[Seal, Seal]:
        return KEY.seals(meeting)[0], KEY.seals(meeting)[0]

    out, back = fresh()
    first, second = out.close(b"one"), out.close(b"two")
    assert (back.open(first), back.open(second)) == (b"one", b"two")
    for wrong in (second, first[:-1] + bytes([first[-1] ^ 1]), KEY.seals(meeting)[1].close(b"one")):
        with pytest.raises(ValueError, match="open"):
            fresh()[1].open(wrong)
    back = fresh()[1]
    back.open(first)
    with pytest.raises(ValueError, match="open"):
        back.open(first)
    other = KEY.seals(Meeting(b"f" * 32, b"m" * 32, 1))[0]
    with pytest.raises(ValueError, match="open"):
        other.open(first)
