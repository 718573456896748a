"""The engines' socket: handshake, presence, vitals."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest
import socketio

from shared.clock import ManualClock, iso
from shared.contract.engine import EngineAuthSuccess, GuiEngineStatus, GuiEngineVitals
from shared.ids import new_engine_token
from shared.signing.keys import WalletKey
from tests.gateway.realtime.refusals import refused
from tests.gateway.support import Gateway, Peer, engine, gui, in_process

SECRET = "flork_sec_" + "5" * 16
VITALS = {
    "user_id": "0x0",
    "internal_api_url": "http://flowork_core:8989",
    "ts": 1766000000.5,
    "cpu_percent": 12.5,
    "memory_percent": 40,
    "metrics": {"pid": 1, "cpuPercent": 12.5, "memoryPercent": 40},
}


@pytest.mark.parametrize("transports", [["websocket"], ["polling", "websocket"]])
async def test_the_documented_handshake(live: Gateway, wallet: WalletKey, transports: list[str]) -> None:
    engine_id, token = live.register_engine(wallet)
    if live.workers > 1:
        transports = ["websocket"]  # polling asks one process again and again
    async with gui(live, wallet) as page:
        async with engine(live, engine_id, token, ready=False, transports=transports) as link:
            welcome = await link.next("auth_success")
            assert EngineAuthSuccess.model_validate(welcome).user_id == wallet.address
            assert live.engine(wallet, engine_id)["status"] == "offline"
            ready = {
                "internal_api_url": "http://flowork_core:8989",
                "engine_id": engine_id,
                "capabilities": ["x"],
            }
            await link.emit("engine_ready", ready)
            told = await page.next("engine_status_update")
            assert GuiEngineStatus.model_validate(told) == GuiEngineStatus(
                engine_id=engine_id, status="online"
            )
            assert live.engine(wallet, engine_id)["status"] == "online"
        told = await page.next("engine_status_update")
        assert GuiEngineStatus.model_validate(told) == GuiEngineStatus(engine_id=engine_id, status="offline")


async def test_an_unowned_engine_is_told_so(live: Gateway) -> None:
    async with engine(live, live.bundled_id, live.bundled_token, ready=False) as link:
        assert await link.next("auth_success") == {"user_id": None}


@pytest.mark.parametrize(
    "auth",
    [
        None,
        {},
        [1],
        "text",
        {"engine_id": "ENGINE"},
        {"token": "TOKEN"},
        {"engine_id": "ENGINE", "token": ""},
        {"engine_id": "ENGINE", "token": new_engine_token()},
        {"engine_id": "other", "token": "TOKEN"},
        {"engine_id": 7, "token": ["TOKEN"]},
    ],
)
async def test_a_wrong_token_is_told_and_refused(live: Gateway, wallet: WalletKey, auth: Any) -> None:
    engine_id, token = live.register_engine(wallet)
    if isinstance(auth, dict):
        known = {"ENGINE": engine_id, "TOKEN": token}
        auth = {
            key: known.get(value, value) if isinstance(value, str) else value for key, value in auth.items()
        }
    told = await refused(live, "/engine-socket", auth)
    assert told["auth_failed"] == {"error": "Invalid engine_id or token"}
    assert told["message"] == "Invalid engine_id or token"


async def test_a_header_of_another_token_is_refused(anywhere: Gateway, wallet: WalletKey) -> None:
    engine_id, token = anywhere.register_engine(wallet)
    headers = {"Authorization": f"Bearer {new_engine_token()}"}
    await refused(anywhere, "/engine-socket", {"engine_id": engine_id, "token": token}, headers=headers)


async def test_in_production_the_service_secret_is_required_too(tmp_path: Path, wallet: WalletKey) -> None:
    with in_process(tmp_path, GATEWAY_SECRET_TOKEN=SECRET) as gateway:
        engine_id, token = gateway.register_engine(wallet)
        auth = {"engine_id": engine_id, "token": token}
        for headers in ({}, {"X-API-Key": SECRET + "5"}):
            told = await refused(gateway, "/engine-socket", auth, headers=headers)
            assert told["auth_failed"] == {"error": "Invalid engine_id or token"}
        async with engine(gateway, engine_id, token, headers={"X-API-Key": SECRET}):
            assert gateway.engine(wallet, engine_id)["status"] == "online"


async def test_vitals_are_passed_on_to_the_owner(live: Gateway, wallet: WalletKey) -> None:
    engine_id, token = live.register_engine(wallet)
    async with gui(live, wallet) as page, engine(live, engine_id, token) as link:
        await link.emit("engine_vitals_update", VITALS | {"engine_id": engine_id})
        told = GuiEngineVitals.model_validate(await page.next("engine_vitals_update"))
        assert told.engine_id == engine_id
        assert (told.vitals.cpu_percent, told.vitals.memory_percent, told.vitals.is_busy) == (12.5, 40, False)
        await link.emit(
            "engine_vitals_update", {"v": 2, "payload": VITALS | {"engine_id": engine_id, "is_busy": True}}
        )
        told = GuiEngineVitals.model_validate(await page.next("engine_vitals_update"))
        assert told.vitals.is_busy is True


async def test_vitals_in_the_name_of_another_engine_are_dropped(
    live: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    own, token = live.register_engine(wallet)
    other, _ = live.register_engine(stranger)
    async with gui(live, stranger) as victim, gui(live, wallet) as page, engine(live, own, token) as link:
        await victim.next("initial_engine_statuses")
        await link.emit("engine_vitals_update", VITALS | {"engine_id": other})
        assert (await link.next("error"))["code"] == "FORBIDDEN"
        await link.emit("engine_vitals_update", VITALS | {"engine_id": own})
        await page.next("engine_vitals_update", engine_id=own)
        await victim.emit("anything", {"v": 2, "payload": {}})
        await victim.next("error")
        assert victim.seen == []


@pytest.mark.parametrize(
    "vitals",
    [
        {},
        {"cpu_percent": 101, "memory_percent": 1},
        {"cpu_percent": "hot", "memory_percent": 1},
        {"cpu_percent": 1},
    ],
)
async def test_impossible_vitals_are_answered(
    anywhere: Gateway, wallet: WalletKey, vitals: dict[str, Any]
) -> None:
    engine_id, token = anywhere.register_engine(wallet)
    async with engine(anywhere, engine_id, token) as link:
        await link.emit("engine_vitals_update", vitals | {"engine_id": engine_id})
        assert (await link.next("error"))["code"] == "INVALID_REQUEST"
        assert await link.call("core:ping", {"ts": 1}) == {"ok": True}


async def test_unknown_events_are_answered(live: Gateway, wallet: WalletKey) -> None:
    engine_id, token = live.register_engine(wallet)
    async with engine(live, engine_id, token) as link:
        assert (await link.call("forward_event_to_gui", {}))["code"] == "UNKNOWN_COMMAND"


async def test_a_second_link_replaces_the_first_without_a_gap(live: Gateway, wallet: WalletKey) -> None:
    engine_id, token = live.register_engine(wallet)
    async with gui(live, wallet) as page, engine(live, engine_id, token) as first:
        await page.next("engine_status_update", status="online")
        async with engine(live, engine_id, token) as second:
            await first.wait_closed(1.0)
            await page.next("engine_status_update", status="online")
            assert live.engine(wallet, engine_id)["status"] == "online"
            await second.emit("engine_vitals_update", VITALS | {"engine_id": engine_id})
            await page.next("engine_vitals_update")
            assert [item for item in page.seen if item[0] == "engine_status_update"] == []
        await page.next("engine_status_update", status="offline")


async def test_many_links_of_one_engine_at_once_leave_one(live: Gateway, wallet: WalletKey) -> None:
    engine_id, token = live.register_engine(wallet)
    auth = {"engine_id": engine_id, "token": token}
    links = [Peer("/engine-socket") for _ in range(6)]
    joined: set[Peer] = set()
    last = asyncio.Event()

    def look() -> None:
        left = [each for each in links if not each.closed.is_set()]
        if len(left) == 1 and left[0] in joined:
            last.set()

    async def watch(link: Peer) -> None:
        # One that is replaced before its own connect has come to an end may see that as a failure.
        with contextlib.suppress(socketio.exceptions.ConnectionError):
            await link.connect(live.url, auth)
            joined.add(link)
            look()
            await link.closed.wait()
        link.closed.set()
        look()

    watching = [asyncio.create_task(watch(link)) for link in links]
    try:
        await asyncio.wait_for(last.wait(), 30)
        left = next(link for link in links if not link.closed.is_set())
        assert await left.call("engine_ready", {"engine_id": engine_id}) == {"ok": True}
        assert live.engine(wallet, engine_id)["status"] == "online"
    finally:
        for link in links:
            await link.close()
        await asyncio.gather(*watching)


async def test_an_engine_not_heard_of_is_shown_offline(
    timed: Gateway, clock: ManualClock, wallet: WalletKey
) -> None:
    engine_id, token = timed.register_engine(wallet)
    async with engine(timed, engine_id, token) as link:
        clock.advance(34)
        assert timed.engine(wallet, engine_id)["status"] == "online"
        clock.advance(2)
        assert timed.engine(wallet, engine_id)["status"] == "offline"
        await link.call("core:ping", {"ts": 1})
        assert timed.engine(wallet, engine_id)["status"] == "online"


async def test_the_last_sign_of_life_survives_a_restart(
    tmp_path: Path, clock: ManualClock, wallet: WalletKey
) -> None:
    with in_process(tmp_path, clock) as gateway:
        engine_id, token = gateway.register_engine(wallet)
        async with engine(gateway, engine_id, token):
            clock.advance(50)
        async with asyncio.timeout(30):  # the gateway learns of the end after the engine
            while gateway.engine(wallet, engine_id)["last_seen"] != iso(clock.now_ms()):  # noqa: ASYNC110 - asked
                await asyncio.sleep(0.02)
    with in_process(tmp_path, clock) as gateway:
        shown = gateway.engine(wallet, engine_id)
    assert shown["status"] == "offline"
    assert shown["last_seen"] == iso(clock.now_ms())


async def test_an_owner_the_engine_pinned_before_a_crash_is_recorded(
    tmp_path: Path, wallet: WalletKey
) -> None:
    with in_process(tmp_path) as gateway:
        async with engine(gateway, gateway.bundled_id, gateway.bundled_token, ready=False) as link:
            await link.call("engine_ready", {"engine_id": gateway.bundled_id, "user_id": wallet.address})
            assert gateway.engine(wallet, gateway.bundled_id)["status"] == "online"


async def test_an_engine_cannot_give_itself_to_somebody_else(
    anywhere: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    engine_id, token = anywhere.register_engine(wallet)
    async with engine(anywhere, engine_id, token) as link:
        await link.call("engine_ready", {"engine_id": engine_id, "user_id": stranger.address})
    assert anywhere.call(stranger, "GET", "/user/engines").json() == []
    assert anywhere.engine(wallet, engine_id)["id"] == engine_id
