"""A front, with the test as the process that leads: what is passed on, held, given up, and told again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import connect

from core_engine.fronts.channel import Channel, local_pair
from core_engine.fronts.front import Front
from core_engine.fronts.records import (
    Admitted,
    AtPreset,
    Beat,
    Command,
    Done,
    End,
    Events,
    Followed,
    Left,
    Mark,
    Renew,
    Sent,
    Speaker,
    encode,
    opened_of,
    read_from_front,
)
from core_engine.storage import EngineStore
from core_engine.telemetry.metrics import Metrics
from core_engine.telemetry.roles import RoleCollector, Seat
from core_engine.wiring import open_front
from tests.core_engine.engine import CLOCK, ENGINE_ID, OWNER, Talker, settings

SEAT = AtPreset("Report", OWNER.address.lower(), ["n0"], None)


class Leader:
    """The other end of a front's channel."""

    def __init__(self, front: Front) -> None:
        self.channel, theirs = local_pair()
        front.serve_here(theirs)

    async def next(self, kind: type) -> Any:
        """Return the next record of a kind; other ones but signs of life are a surprise."""
        async with asyncio.timeout(30):
            while True:
                data = await self.channel.receive()
                assert data is not None
                record = read_from_front(data)
                if isinstance(record, kind):
                    return record
                assert isinstance(record, Beat | Sent), record

    def give(self, client: int, *frames: dict[str, Any], mark: Mark | None = None) -> None:
        encoded = [msgspec.json.encode(frame) for frame in frames]
        self.channel.post(encode(Events(client, encoded, [mark] * len(frames))))

    def done(self, command: Command, *, used: bool = True) -> None:
        self.channel.post(encode(Done(command.client, command.number, used)))

    async def lost(self) -> None:
        self.channel.close()


@asynccontextmanager
async def front(folder: Path, **environment: str) -> AsyncIterator[Front]:
    given = settings(folder, **environment)
    store = EngineStore.open(given.data.engine_dir)
    made = open_front(given, store, Metrics().counts, CLOCK)
    try:
        await made.start()
        yield made
    finally:
        await made.close()
        store.close()


@asynccontextmanager
async def talker(of: Front) -> AsyncIterator[Talker]:
    async with connect(f"ws://127.0.0.1:{of.port}/?engineId={ENGINE_ID}") as socket:
        yield Talker(socket, OWNER)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing tells it
            await asyncio.sleep(0.01)


def frame(seq: int, job_id: str = "job") -> dict[str, Any]:
    """An event of a run as it goes to clients."""
    return {"type": "x", "job_id": job_id, "seq": seq}


async def raw(of: Talker) -> dict[str, Any]:
    async with asyncio.timeout(30):
        return dict(json.loads(await of.socket.recv()))


async def test_only_what_is_verified_is_passed_on_and_answers_come_back(tmp_path: Path) -> None:
    async with front(tmp_path) as made, talker(made) as client:
        leader = Leader(made)
        sealed = json.loads(client.sealed({"type": "list_runs", "request_id": "a"}))
        sealed["payload"]["request_id"] = "b"
        assert (await client.raw(json.dumps(sealed)))["code"] == "BAD_SIGNATURE"
        await client.send("get_run", job_id="job", request_id="c")
        command = await leader.next(Command)
        opened = opened_of(command)
        assert (opened.address, opened.payload["request_id"]) == (OWNER.address.lower(), "c")
        assert opened.bound
        assert opened.replay_entry is not None
        leader.give(command.client, frame(1))
        assert await raw(client) == frame(1)
        assert (await leader.next(Sent)).size == len(msgspec.json.encode(frame(1)))
        assert made.figures() == {"connections": 1, "forwarded": 1, "delivered": 1, "held": 0}


async def test_a_lost_leader_is_told_for_what_is_under_way_and_the_next_one_hears_the_rest(
    tmp_path: Path,
) -> None:
    async with front(tmp_path) as made, talker(made) as client:
        first = Leader(made)
        await client.send("subscribe_run", job_id="job", include_children=True)
        subscribed = await first.next(Command)
        first.give(subscribed.client, frame(1), mark=Mark("job", 4, ended=False))
        first.give(subscribed.client, frame(1), mark=Mark("over", 9, ended=True))
        first.channel.post(encode(Admitted(subscribed.client, [Speaker(OWNER.address.lower(), 7)])))
        first.channel.post(encode(Done(subscribed.client, subscribed.number, True, [SEAT])))
        await raw(client), await raw(client)
        await client.send("stop_workflow", job_id="job", request_id="r")
        await first.next(Command)
        await first.lost()
        refused = await raw(client)
        assert (refused["code"], refused["request_id"]) == ("ENGINE_UNAVAILABLE", "r")
        assert refused["details"]["outcome"] == "unknown"
        await until(lambda: not made.linked)
        await client.send("list_runs", request_id="later")
        second = Leader(made)
        renewed = await second.next(Renew)
        assert renewed.speakers == [Speaker(OWNER.address.lower(), 7)]
        assert renewed.runs == [Followed("job", 4, children=True)]
        assert renewed.seats == [SEAT]
        held = await second.next(Command)
        assert opened_of(held).payload["type"] == "list_runs", "what was under way is not sent again"


async def test_nobody_speaks_on_a_connection_by_a_message_that_was_not_used(tmp_path: Path) -> None:
    async with front(tmp_path) as made, talker(made) as client:
        first = Leader(made)
        await client.send("list_runs")
        repeated = await first.next(Command)
        first.done(repeated, used=False)
        first.give(repeated.client, frame(1))
        await raw(client)
        await first.lost()
        await until(lambda: not made.linked)
        second = Leader(made)
        await client.send("list_runs")
        await second.next(Command)  # and no word before it of who signed what was refused


async def test_a_front_that_is_cut_off_holds_for_its_time_and_then_refuses(tmp_path: Path) -> None:
    async with front(tmp_path, ENGINE_FRONTS_HOLD_SECONDS="1") as made, talker(made) as client:
        await client.send("list_runs", request_id="held")
        for request_id in ("held", "late"):
            refused = await raw(client)
            assert (refused["code"], refused["request_id"]) == ("ENGINE_UNAVAILABLE", request_id)
            assert refused["details"]["outcome"] == "not_done"
            if request_id == "held":
                await client.send("list_runs", request_id="late")
        assert made.figures()["held"] == 0


async def test_no_more_is_held_of_one_client_than_may_run_at_a_time(tmp_path: Path) -> None:
    async with front(tmp_path) as made, talker(made) as client, talker(made) as other:
        for number in range(65):
            await client.send("list_runs", request_id=str(number))
        assert (await raw(client))["request_id"] == "64"
        await other.send("list_runs", request_id="other")
        await until(lambda: made.figures()["held"] == 65)
        leader = Leader(made)
        assert [(await leader.next(Command)).client for _ in range(65)].count(2) == 1


async def test_a_message_that_was_used_before_costs_as_a_false_one_does(tmp_path: Path) -> None:
    async with front(tmp_path, ENGINE_MESSAGES_PER_SECOND="10") as made, talker(made) as client:
        leader = Leader(made)
        await client.send("list_runs")
        command = await leader.next(Command)
        leader.done(command, used=False)
        leader.give(command.client, frame(1))
        await raw(client)
        await client.send("list_runs")
        assert (await raw(client))["code"] == "RATE_LIMITED"


async def test_the_leader_ends_a_connection_and_hears_of_ends(tmp_path: Path) -> None:
    async with front(tmp_path) as made, talker(made) as client:
        leader = Leader(made)
        await client.send("list_runs")
        command = await leader.next(Command)
        leader.channel.post(encode(End(command.client, 1008, "Access revoked")))
        assert await client.closed() == (1008, "Access revoked")
        assert (await leader.next(Left)).client == command.client
        leader.channel.post(encode(End(99, 1008, "nobody")))
        assert made.linked


async def test_nonsense_of_a_leader_ends_the_channel(tmp_path: Path) -> None:
    async with front(tmp_path) as made:
        leader: Leader = Leader(made)
        channel: Channel = leader.channel
        channel.post(b"\xc1")
        await until(lambda: not made.linked)


async def test_the_figures_of_a_front(tmp_path: Path) -> None:
    async with front(tmp_path) as made, talker(made):
        seat, metrics = Seat(made), Metrics()
        metrics.show(RoleCollector(seat))
        text = metrics.exposition().decode()
        assert 'flowork_engine_role{role="front"} 1.0' in text
        assert "flowork_engine_front_connections 1.0" in text
        assert "flowork_engine_front_linked 0.0" in text
        assert not seat.ready
