"""The engine on one gateway process, the person on the other: nothing is missing in between."""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
from typing import Any

import redis

from gateway.cluster.manager import CHANNEL
from gateway.cluster.sealed_json import SealedJson
from gateway.realtime.gui_channel import room_of
from shared.contract.relay import RelayCommand
from shared.signing.keys import WalletKey
from tests.gateway.cluster.conftest import Pair
from tests.gateway.support import Gateway, engine, gui


async def away(gateway: Gateway, *call: Any) -> Any:
    """Make a request without holding up the sockets of this test."""
    return await asyncio.to_thread(gateway.call, *call)


def told(data: dict[str, Any], job_id: str = "", seq: int = 1) -> dict[str, Any]:
    return {"event": "WORKFLOW_LOG_ENTRY", "data": {"job_id": job_id or "job-1", "seq": seq, **data}}


async def test_presence_and_vitals_are_seen_by_both(pair: Pair, wallet: WalletKey) -> None:
    engine_id, token = pair.first.register_engine(wallet)
    async with gui(pair.second, wallet) as page:
        async with engine(pair.first, engine_id, token) as link:
            await page.next("engine_status_update", engine_id=engine_id, status="online")
            vitals = {"engine_id": engine_id, "cpu_percent": 3, "memory_percent": 4, "is_busy": True}
            await link.emit("engine_vitals_update", vitals)
            assert (await page.next("engine_vitals_update"))["vitals"]["is_busy"] is True
            assert pair.second.engine(wallet, engine_id)["status"] == "online"
            async with gui(pair.second, wallet) as late:
                statuses = await late.next("initial_engine_statuses")
                assert [item["vitals"]["cpu_percent"] for item in statuses] == [3]
        await page.next("engine_status_update", engine_id=engine_id, status="offline")
    assert pair.first.engine(wallet, engine_id)["status"] == "offline"


async def test_a_link_to_the_other_process_replaces_the_first(pair: Pair, wallet: WalletKey) -> None:
    engine_id, token = pair.first.register_engine(wallet)
    async with engine(pair.first, engine_id, token) as old, engine(pair.second, engine_id, token) as new:
        await old.wait_closed()
        assert await new.call("core:ping", {"ts": 1}) == {"ok": True}
        for gateway in (pair.first, pair.second):
            assert gateway.engine(wallet, engine_id)["status"] == "online"


async def test_a_token_reset_closes_the_link_elsewhere(pair: Pair, wallet: WalletKey) -> None:
    engine_id, token = pair.first.register_engine(wallet)
    async with engine(pair.first, engine_id, token) as link:
        answer = await away(pair.second, wallet, "POST", f"/user/engines/{engine_id}/reset-token")
        assert answer.status_code == 200
        await link.wait_closed()


async def test_a_logout_closes_pages_everywhere(pair: Pair, wallet: WalletKey, stranger: WalletKey) -> None:
    async with (
        gui(pair.first, wallet) as here,
        gui(pair.second, wallet) as there,
        gui(pair.second, stranger) as other,
    ):
        await away(pair.first, wallet, "POST", "/auth/logout")
        await here.wait_closed()
        await there.wait_closed()
        assert not other.closed.is_set()


async def test_commands_and_events_cross_over(pair: Pair, wallet: WalletKey) -> None:
    engine_id, token = pair.first.register_engine(wallet)
    taken: list[RelayCommand] = []

    async def take(data: Any) -> dict[str, Any]:
        taken.append(RelayCommand.model_validate(data))
        return {"ok": True}

    async with gui(pair.second, wallet) as page, engine(pair.first, engine_id, token, ready=False) as link:
        link.client.on("relay_command", take, namespace="/engine-socket")
        await link.call("engine_ready", {"engine_id": engine_id})
        session = (await link.next("relay_open"))["session"]
        answer = await page.call("load_preset", {"v": 2, "payload": {"type": "load_preset", "name": "é"}})
        assert answer == {"ok": True}
        assert json.loads(taken[0].payload or "") == {"type": "load_preset", "name": "é"}
        for first in range(1, 101, 20):
            events = [told({"message": str(seq)}, seq=seq) for seq in range(first, first + 20)]
            receipt = await link.call("relay_events", {"session": session, "events": events})
            assert receipt["ok"] is True
            assert receipt["room"] > 0
        seen = [await page.next("WORKFLOW_LOG_ENTRY") for _ in range(100)]
        assert [item["seq"] for item in seen] == list(range(1, 101))
        async with engine(pair.second, engine_id, token, ready=False) as newer:
            await newer.call("engine_ready", {"engine_id": engine_id})
            assert (await newer.next("relay_open"))["runs"] == {"job-1": 100}
            await page.close()
            assert (await newer.next("relay_left"))["session"] == session


async def test_an_engine_that_leaves_is_answered_for(pair: Pair, wallet: WalletKey) -> None:
    engine_id, _ = pair.first.register_engine(wallet)
    async with gui(pair.second, wallet) as page:
        answer = await page.call(
            "load_preset", {"v": 2, "payload": {"name": "x", "target_engine_id": engine_id}}
        )
        assert answer["code"] == "ENGINE_UNAVAILABLE"


async def test_rest_reaches_an_engine_of_the_other_process(pair: Pair, wallet: WalletKey) -> None:
    engine_id, token = pair.first.register_engine(wallet)

    async def answer(data: Any) -> dict[str, Any]:
        assert data["user"] == wallet.address.lower()
        body = json.dumps([{"id": "a", "name": "A"}]).encode()
        return {"status": 200, "body": base64.b64encode(body).decode()}

    async with engine(pair.first, engine_id, token) as link:
        link.client.on("engine_request", answer, namespace="/engine-socket")
        got = await away(pair.second, wallet, "GET", "/presets")
        assert (got.status_code, got.json()) == (200, [{"id": "a", "name": "A"}])


async def test_a_claim_is_judged_by_the_engine_of_the_other_process(pair: Pair, wallet: WalletKey) -> None:
    async with engine(pair.first, pair.first.bundled_id, pair.first.bundled_token) as link:
        asked: list[Any] = []

        async def judge(data: Any) -> dict[str, Any]:
            asked.append(data)
            return {"accepted": True}

        link.client.on("engine_claim", judge, namespace="/engine-socket")
        body = {"engine_id": pair.first.bundled_id, "proof": "0" * 64}
        answer = await away(pair.second, wallet, "POST", "/user/engines/claim", body)
        assert (answer.status_code, answer.json()["status"]) == (200, "online")
        assert asked == [{"address": wallet.address, "proof": "0" * 64}]
    assert pair.first.engine(wallet, pair.first.bundled_id)["name"] == "My engine"


async def test_a55_what_others_write_on_the_channel_is_no_event(pair: Pair, wallet: WalletKey) -> None:
    """Who has the password of Redis can neither tell pages something, nor cut connections, nor have code run."""
    room = room_of(wallet.address.lower())
    forged = {
        "method": "emit",
        "event": "forged",
        "data": [{}],
        "namespace": "/gui-socket",
        "room": room,
        "host_id": "x",
    }
    ending = {"method": "close_room", "namespace": "/gui-socket", "room": room, "host_id": "x"}
    engine_id, token = pair.first.register_engine(wallet)
    async with gui(pair.second, wallet) as page:
        with redis.Redis.from_url(pair.redis.url) as broker:
            for message in (forged, ending):
                for wrote in (
                    json.dumps(message).encode(),
                    pickle.dumps(message),
                    SealedJson("another secret").dumps(message),
                    b"\0" * 32 + json.dumps(message).encode(),
                ):
                    assert broker.publish(CHANNEL, wrote) >= 2, "both listen, and maybe those of other tests"
        async with engine(pair.first, engine_id, token):  # told by way of the same channel, so after those
            await page.next("engine_status_update", engine_id=engine_id, status="online")
        assert not [event for event, _ in page.seen if event == "forged"]
        assert not page.closed.is_set()


READ = {
    b"string": lambda broker, key: broker.get(key),
    b"hash": lambda broker, key: broker.hgetall(key),
    b"set": lambda broker, key: broker.smembers(key),
    b"zset": lambda broker, key: broker.zrange(key, 0, -1),
    b"list": lambda broker, key: broker.lrange(key, 0, -1),
}


async def test_a48_redis_holds_no_token_of_an_engine_and_no_key(pair: Pair, wallet: WalletKey) -> None:
    engine_id, token = pair.first.register_engine(wallet)
    async with engine(pair.first, engine_id, token), gui(pair.second, wallet) as page:
        await page.next("initial_engine_statuses")
        with redis.Redis.from_url(pair.redis.url) as broker:
            held = repr([(key, READ[broker.type(key)](broker, key)) for key in broker.scan_iter("*")])
    assert engine_id in held
    for secret in (token, token.rpartition("_")[2], wallet.private_key_hex()[2:]):
        assert secret not in held
