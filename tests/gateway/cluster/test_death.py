"""A gateway process dies, Redis restarts: presence is right within seconds, and pages miss nothing for good."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.signing.keys import WalletKey
from tests.gateway.cluster.conftest import Pair
from tests.gateway.support import engine, gui, stop

# A process counts as dead after seven seconds; the rest is patience with a busy machine.
SECONDS = 40.0


async def status(pair: Pair, wallet: WalletKey, engine_id: str) -> str:
    return (await asyncio.to_thread(pair.second.engine, wallet, engine_id))["status"]


async def until(pair: Pair, wallet: WalletKey, engine_id: str, wanted: str) -> None:
    async with asyncio.timeout(SECONDS):
        while await status(pair, wallet, engine_id) != wanted:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.1)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.gateway.support.WAIT", SECONDS)


async def test_a_killed_process_takes_its_engines_offline(mortal: Pair, wallet: WalletKey) -> None:
    engine_id, token = mortal.first.register_engine(wallet)
    async with gui(mortal.second, wallet) as page:
        async with engine(mortal.first, engine_id, token):
            await page.next("engine_status_update", status="online")
            assert mortal.first.process is not None
            mortal.first.process.kill()
            mortal.first.process.wait(10)
            await page.next("engine_status_update", engine_id=engine_id, status="offline")
            assert await status(mortal, wallet, engine_id) == "offline"
        async with engine(mortal.second, engine_id, token):
            await page.next("engine_status_update", engine_id=engine_id, status="online")


async def test_an_engine_that_moved_stays_online(mortal: Pair, wallet: WalletKey) -> None:
    engine_id, token = mortal.first.register_engine(wallet)
    async with engine(mortal.first, engine_id, token):
        assert mortal.first.process is not None
        mortal.first.process.kill()
        mortal.first.process.wait(10)
        async with engine(mortal.second, engine_id, token), gui(mortal.second, wallet) as page:
            await page.next("initial_engine_statuses")
            key = f"flowork:gateway:worker:{await dead_worker(mortal)}"
            async with asyncio.timeout(SECONDS):
                while await asyncio.to_thread(client(mortal).exists, key + ":engines"):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            assert await status(mortal, wallet, engine_id) == "online"
            assert [item for item in page.seen if item[0] == "engine_status_update"] == []


async def test_a_page_that_moved_is_sent_what_it_missed(mortal: Pair, wallet: WalletKey) -> None:
    engine_id, token = mortal.second.register_engine(wallet)
    auth = mortal.first.gui_auth(wallet)
    async with engine(mortal.second, engine_id, token) as link:
        async with gui(mortal.first, wallet, auth=auth) as page:
            session = (await link.next("relay_open"))["session"]
            sent = {"event": "WORKFLOW_LOG_ENTRY", "data": {"job_id": "job-1", "seq": 7}}
            await link.call("relay_events", {"session": session, "events": [sent]})
            await page.next("WORKFLOW_LOG_ENTRY")
            assert mortal.first.process is not None
            mortal.first.process.kill()
            mortal.first.process.wait(10)
        async with gui(mortal.second, wallet, auth=auth) as page:
            again = await link.next("relay_open", session=session)
            assert again["runs"] == {"job-1": 7}
            receipt = await link.call("relay_events", {"session": session, "events": [sent]})
            assert receipt["ok"] is True
            await page.next("WORKFLOW_LOG_ENTRY")
        await link.next("relay_left", session=session)


async def test_a_process_that_stops_politely_is_gone_at_once(mortal: Pair, wallet: WalletKey) -> None:
    engine_id, token = mortal.first.register_engine(wallet)
    async with gui(mortal.second, wallet) as page, engine(mortal.first, engine_id, token):
        await page.next("engine_status_update", status="online")
        assert await asyncio.to_thread(stop, mortal.first) == 0
        await page.next("engine_status_update", status="offline")


async def test_what_redis_lost_is_entered_again(mortal: Pair, wallet: WalletKey) -> None:
    engine_id, token = mortal.first.register_engine(wallet)
    async with engine(mortal.first, engine_id, token) as link, gui(mortal.second, wallet) as page:
        session = (await link.next("relay_open"))["session"]
        await asyncio.to_thread(client(mortal).flushall)
        assert await link.call("core:ping", {"ts": 1}) == {"ok": True}
        await until(mortal, wallet, engine_id, "online")
        sent = {"event": "WORKFLOW_LOG_ENTRY", "data": {"message": "after"}}
        async with asyncio.timeout(SECONDS):
            # The page's own process enters it again at its next sign of life; its engines are told anew then.
            await link.next("relay_open", session=session)
            receipt = await link.call("relay_events", {"session": session, "events": [sent]})
        assert receipt["ok"] is True
        await page.next("WORKFLOW_LOG_ENTRY", message="after")


async def dead_worker(pair: Pair) -> str:
    """Return the worker whose sign of life is gone, once it is."""

    def look() -> list[str]:
        redis = client(pair)
        known = {key.split(":")[3] for key in redis.scan_iter("flowork:gateway:worker:*:engines")}
        return [name for name in known if not redis.exists(f"flowork:gateway:worker:{name}")]

    async with asyncio.timeout(SECONDS):
        while not (found := await asyncio.to_thread(look)):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    return found[0]


def client(pair: Pair) -> Any:
    import redis

    return redis.Redis.from_url(pair.redis.url, decode_responses=True)
