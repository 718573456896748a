"""The leading process's desk, on a whole engine, with the test as a front."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core_engine.app import Engine
from core_engine.fronts.channel import Channel, local_pair, meet_leader
from core_engine.fronts.desk import DeskDoor, FrontDesk
from core_engine.fronts.places import find_place
from core_engine.fronts.reception import Reception
from core_engine.fronts.records import (
    Admitted,
    AtPreset,
    Beat,
    Done,
    End,
    Events,
    Followed,
    Left,
    Renew,
    Sent,
    Speaker,
    command_of,
    encode,
    read_from_leader,
)
from core_engine.fronts.remote import Desk
from core_engine.fronts.sealing import LinkKey
from shared.signing.envelope import EnvelopeVerifier, seal
from shared.signing.keys import WalletKey
from shared.signing.presets import sign_preset
from shared.signing.replay import UncheckedReplays
from tests.core_engine.engine import CLOCK, ENGINE_ID, OWNER, READER, STRANGER, admit, chain, engine


class FarFront:
    """A front's end of a channel into an engine."""

    def __init__(self, of: Engine, *, outbox_bytes: int = 1 << 20, silence: float = 60.0) -> None:
        self.channel, theirs = local_pair()
        desk = Desk(of._dispatcher, of.runs, of.access, of.rooms.company, outbox_bytes)
        self.reception = Reception(theirs, desk, 2, silence)
        self.task = asyncio.create_task(self.reception.run())
        self._verifier = EnvelopeVerifier(ENGINE_ID, "documented", UncheckedReplays())
        self.number = 0

    def send(self, client: int, kind: str, *, key: WalletKey = OWNER, **fields: Any) -> bytes:
        """Pass a command on; returns its record."""
        self.number += 1
        sealed = seal(key, ENGINE_ID, {"type": kind, **fields}, now_ms=CLOCK.now_ms())
        opened = self._verifier.open(sealed, CLOCK.now_ms())
        record = encode(command_of(client, self.number, opened))
        self.channel.post(record)
        return record

    async def until(self, kind: type) -> tuple[Any, list[Events]]:
        """Return the next record of a kind, and the events before it."""
        events = []
        async with asyncio.timeout(30):
            while True:
                data = await self.channel.receive()
                assert data is not None
                record = read_from_leader(data)
                if isinstance(record, kind):
                    return record, events
                if isinstance(record, Events):
                    events.append(record)

    async def answer(self) -> tuple[dict[str, Any], bool]:
        """Return the last frame before a command was over, and whether its message was used."""
        done, events = await self.until(Done)
        return json.loads(events[-1].frames[-1]), done.used


@asynccontextmanager
async def far(folder: Path, **options: Any) -> AsyncIterator[tuple[Engine, FarFront]]:
    async with engine(folder) as running:
        made = FarFront(running, **options)
        try:
            yield running, made
        finally:
            made.task.cancel()
            await asyncio.gather(made.task, return_exceptions=True)
            await made.reception.close()


async def test_a_message_is_used_once_whichever_front_brings_it(tmp_path: Path) -> None:
    async with far(tmp_path) as (running, first):
        second = FarFront(running)
        record = first.send(1, "list_runs")
        assert (await first.answer())[1]
        for front in (first, second):
            front.channel.post(record)
            answer, used = await front.answer()
            assert (answer["code"], used) == ("REPLAYED", False)
        second.task.cancel()
        await asyncio.gather(second.task, return_exceptions=True)
        await second.reception.close()


async def test_a_front_hears_who_speaks_only_by_messages_that_are_used(tmp_path: Path) -> None:
    async with far(tmp_path) as (running, first):
        second, kinds = FarFront(running), list[type]()
        record = first.send(1, "list_runs")
        admitted, events = await first.until(Admitted)
        assert (admitted.speakers, events) == ([Speaker(OWNER.address.lower())], [])
        second.channel.post(record)
        async with asyncio.timeout(30):
            while Done not in kinds:
                kinds.append(type(read_from_leader(await second.channel.receive() or b"")))
        assert Admitted not in kinds
        second.task.cancel()
        await asyncio.gather(second.task, return_exceptions=True)
        await second.reception.close()


async def test_a_client_goes_on_where_it_was_and_sees_only_what_it_may(tmp_path: Path) -> None:
    async with far(tmp_path) as (running, front):
        await admit(running)
        front.send(1, "execute_workflow", job_id="job", workflow_data=chain(2, "delay", seconds=0.01))
        _, events = await front.until(Done)
        while not (events and events[-1].marks[-1] and events[-1].marks[-1].ended):
            events.append((await front.until(Events))[0])
        marks = [mark.seq for record in events for mark in record.marks if mark]
        assert marks == list(range(1, len(marks) + 1))
        for client, key in ((2, READER), (1, OWNER)):
            front.channel.post(encode(Left(client)))
            front.channel.post(
                encode(Renew(client, [Speaker(key.address.lower())], [Followed("job", 2, children=True)]))
            )
        front.send(1, "get_run", job_id="job")
        _, events = await front.until(Done)
        assert {record.client for record in events} == {1}, "the reader did not start it"
        again = [mark.seq for record in events for mark in record.marks if mark]
        assert again == marks[2:], "from the event after the last one it had, and before its next command"


async def test_a_client_has_its_presets_open_at_the_next_process_too(tmp_path: Path) -> None:
    async with far(tmp_path) as (running, front):
        await admit(running)
        workflow = chain(1)
        signature = sign_preset(OWNER, workflow)
        front.send(1, "save_preset", name="Report", workflow_data=workflow, signature=signature)
        assert (await front.until(Done))[0].seats is None
        front.send(1, "watch_preset", preset="Report", selected=["n0"], seat="s" * 16)
        seats = (await front.until(Done))[0].seats
        assert seats == [AtPreset("Report", OWNER.address.lower(), ["n0"], "s" * 16)]
        front.channel.post(encode(Left(1)))
        gone, stranger = (
            AtPreset("Gone", seats[0].address, [], None),
            AtPreset("Report", STRANGER.address, [], None),
        )
        front.channel.post(encode(Renew(2, [Speaker(seats[0].address)], [], [gone, stranger, *seats])))
        front.send(2, "watch_preset", preset="Report", selected=["n1"])
        answer, _ = await front.answer()
        assert [item["selected"] for item in answer["people"]] == [["n1"]], "one entry, the one it had"
        await running.rooms.company.preset_changed("Report", workflow, "")
        assert b"PRESET_CHANGED" in (await front.until(Events))[0].frames[-1]
        front.send(2, "leave_preset", preset="Report")
        assert (await front.until(Done))[0].seats == []


async def test_a_client_whose_front_reports_nothing_sent_is_dropped(tmp_path: Path) -> None:
    async with far(tmp_path, outbox_bytes=64 * 1024) as (_, front):
        for _ in range(600):
            front.send(1, "list_runs", request_id="x" * 80)
        end, _ = await front.until(End)
        assert (end.client, end.code) == (1, 1013)


async def test_a_client_whose_front_reports_is_not(tmp_path: Path) -> None:
    async with far(tmp_path, outbox_bytes=64 * 1024) as (_, front):
        for _ in range(300):
            front.send(1, "list_runs", request_id="x" * 80)
            _, events = await front.until(Done)
            size = sum(len(data) for record in events for data in record.frames)
            front.channel.post(encode(Sent(1, size)))


async def test_a_client_beyond_the_bound_is_closed_and_the_others_are_served(tmp_path: Path) -> None:
    async with far(tmp_path) as (_, front):
        for client in (1, 2, 3):
            front.send(client, "list_runs")
        assert (await front.until(End))[0].client == 3
        front.channel.post(encode(Left(1)))
        front.send(4, "list_runs", request_id="four")
        while b"four" not in (await front.until(Events))[0].frames[-1]:
            pass


async def test_nonsense_and_silence_end_a_front(tmp_path: Path) -> None:
    async with far(tmp_path) as (running, front):
        front.channel.post(b"\xc1")
        await asyncio.wait_for(front.task, 30)
        silent = FarFront(running, silence=0.5)
        silent.channel.post(encode(Beat()))
        await asyncio.wait_for(silent.task, 30)
        await silent.reception.close()


class StuckFront:
    """The leading process's own front, with a client that does not let itself be closed."""

    port = 0

    def serve_here(self, channel: Channel) -> None:
        """Take nothing from it."""

    def stop_accepting(self) -> None:
        """Have nobody to refuse."""

    async def stop(self) -> None:
        await asyncio.Event().wait()


async def test_fronts_are_let_go_even_if_own_clients_do_not_end_in_time(tmp_path: Path) -> None:
    async with engine(tmp_path) as running, asyncio.timeout(60):
        key = LinkKey(b"k" * 32, ENGINE_ID)
        door = DeskDoor("127.0.0.1", 0, "", key, 1 << 20, 10, silence_seconds=600.0)
        desk = Desk(running._dispatcher, running.runs, running.access, running.rooms.company, 1 << 20)
        made = FrontDesk(door, desk, running._store, StuckFront())
        await made.start()
        while (place := await find_place(running._store)) is None:  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.01)
        channel = await meet_leader(place.host, place.port, key, place.epoch)
        assert isinstance(read_from_leader(await channel.receive() or b""), Beat)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(made.stop(), 0.1)
        assert await channel.receive() is None
        channel.close()
