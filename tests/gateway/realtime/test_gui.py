"""The GUI's socket: who is let in, what it is told, and that nothing it sends is dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
import socketio

from shared.clock import ManualClock
from shared.contract.engine import GuiEngineStatus
from shared.contract.envelope import ErrorEvent
from shared.signing.keys import WalletKey
from tests.gateway.realtime.refusals import refused
from tests.gateway.support import Gateway, Peer, engine, gui

HOUR = 3600


@pytest.mark.parametrize("path", ["api/socket.io", "socket.io"])
@pytest.mark.parametrize("transports", [["websocket"], ["polling"], ["polling", "websocket"]])
async def test_connect_on_both_paths_and_transports(
    live: Gateway, wallet: WalletKey, path: str, transports: list[str]
) -> None:
    if live.workers > 1 and "polling" in transports:
        # Polling asks one process again and again, and connections here go to each in turn.
        with pytest.raises(socketio.exceptions.ConnectionError):
            await Peer("/gui-socket").connect(live.url, live.gui_auth(wallet), transports=transports)
        return
    async with gui(live, wallet, path=path, transports=transports) as page:
        assert await page.next("initial_engine_statuses") == []


async def test_the_state_of_ones_engines_comes_first(live: Gateway, wallet: WalletKey) -> None:
    away, _ = live.register_engine(wallet)
    here, token = live.register_engine(wallet)
    async with engine(live, here, token) as link:
        await link.call("engine_vitals_update", {"engine_id": here, "cpu_percent": 7, "memory_percent": 8})
        async with gui(live, wallet) as page:
            sent = await page.next("initial_engine_statuses")
            assert page.seen == []
    shown = {item["engine_id"]: GuiEngineStatus.model_validate(item) for item in sent}
    assert shown[away] == GuiEngineStatus(engine_id=away, status="offline", vitals=None)
    assert shown[here].status == "online"
    assert shown[here].vitals is not None
    assert shown[here].vitals.cpu_percent == 7


async def test_the_auth_object_may_come_as_text(anywhere: Gateway, wallet: WalletKey) -> None:
    async with gui(anywhere, wallet, auth=json.dumps(anywhere.gui_auth(wallet))) as page:
        assert await page.next("initial_engine_statuses") == []


async def test_a_first_connect_registers_the_address(anywhere: Gateway, wallet: WalletKey) -> None:
    async with gui(anywhere, wallet):
        pass
    assert anywhere.call(wallet, "GET", "/auth/profile").status_code == 200


def damaged(gateway: Gateway, wallet: WalletKey, what: str) -> Any:
    auth: dict[str, Any] = gateway.gui_auth(wallet)
    headers = auth["headers"]
    match what:
        case "anonymous":
            return None
        case "empty":
            return {}
        case "text":
            return "not JSON"
        case "deep text":
            return "[" * 8000
        case "array":
            return [1]
        case "headers missing":
            return {"headers": None}
        case "address missing":
            del headers["X-User-Address"]
        case "message missing":
            del headers["X-Signed-Message"]
        case "signature missing":
            headers["X-Signature"] = ""
        case "signature wrong":
            headers["X-Signature"] = WalletKey.create()[0].sign_text(headers["X-Signed-Message"])
        case "numbers":
            headers["X-Signature"] = 7
        case "other address":
            headers["X-User-Address"] = WalletKey.create()[0].address
        case "stale":
            return gateway.gui_auth(wallet, gateway.now() - 301_000)
        case "future":
            return gateway.gui_auth(wallet, gateway.now() + 302_000)
        case "other purpose":
            text = f"flowork_engine|{wallet.address}|{gateway.now() // 1000}"
            return {"headers": gateway.socket_headers(wallet, text)}
    return auth


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("anonymous", "UNAUTHENTICATED"),
        ("empty", "UNAUTHENTICATED"),
        ("text", "UNAUTHENTICATED"),
        ("deep text", "UNAUTHENTICATED"),
        ("array", "UNAUTHENTICATED"),
        ("headers missing", "UNAUTHENTICATED"),
        ("address missing", "UNAUTHENTICATED"),
        ("message missing", "UNAUTHENTICATED"),
        ("signature missing", "UNAUTHENTICATED"),
        ("signature wrong", "BAD_SIGNATURE"),
        ("numbers", "UNAUTHENTICATED"),
        ("other address", "UNAUTHENTICATED"),
        ("stale", "STALE"),
        ("future", "STALE"),
        ("other purpose", "UNAUTHENTICATED"),
    ],
)
async def test_a_connect_without_proof_is_refused_with_a_reason(
    live: Gateway, wallet: WalletKey, what: str, code: str
) -> None:
    told = await refused(live, "/gui-socket", damaged(live, wallet, what))
    assert told["data"] == {"code": code}
    assert told["message"]


async def test_the_first_auth_object_reconnects_for_hours(
    timed: Gateway, clock: ManualClock, wallet: WalletKey
) -> None:
    auth = timed.gui_auth(wallet)
    for hours in (0, 1, 22.9):
        clock.advance(hours * HOUR)
        async with gui(timed, wallet, auth=auth) as page:
            assert await page.next("initial_engine_statuses") == []
    clock.advance(0.2 * HOUR)
    assert (await refused(timed, "/gui-socket", auth))["data"] == {"code": "STALE"}


async def test_an_old_signature_that_never_connected_is_refused(
    timed: Gateway, clock: ManualClock, wallet: WalletKey
) -> None:
    never, used = timed.gui_auth(wallet), timed.gui_auth(wallet, timed.now() + 5000)
    async with gui(timed, wallet, auth=used):
        clock.advance(HOUR)
    assert (await refused(timed, "/gui-socket", never))["data"] == {"code": "STALE"}


async def test_a_logout_ends_reconnects_for_good(
    timed: Gateway, clock: ManualClock, wallet: WalletKey
) -> None:
    auth = timed.gui_auth(wallet)
    async with gui(timed, wallet, auth=auth):
        pass
    assert timed.call(wallet, "POST", "/auth/logout").status_code == 200
    for hours in (0, 5):
        clock.advance(hours * HOUR)
        assert (await refused(timed, "/gui-socket", auth))["data"] == {"code": "STALE"}


@pytest.mark.parametrize(
    "event", ["execute_workflow", "connect", "disconnect", "error", "no such event", "x" * 500]
)
async def test_every_event_is_answered(live: Gateway, wallet: WalletKey, event: str) -> None:
    payload = {"v": 2, "payload": {"type": event, "job_id": "job-1", "request_id": "r-1"}}
    async with gui(live, wallet) as page:
        await page.client._send_packet(
            page.client.packet_class(2, namespace="/gui-socket", data=[event, payload])
        )
        answer = await page.next("error")
        known = event == "execute_workflow"
        assert ErrorEvent.model_validate(answer).code == (
            "ENGINE_UNAVAILABLE" if known else "UNKNOWN_COMMAND"
        )
        assert (answer["job_id"], answer["request_id"]) == ("job-1", "r-1")
        assert not page.closed.is_set()


async def test_an_acknowledgement_says_so_too(live: Gateway, wallet: WalletKey) -> None:
    async with gui(live, wallet) as page:
        for event, code in (("save_preset", "ENGINE_UNAVAILABLE"), ("no such event", "UNKNOWN_COMMAND")):
            answer = await page.call(event, {"v": 2, "payload": {}})
            assert answer["ok"] is False
            assert answer["code"] == code


@pytest.mark.parametrize(
    "frame", [None, {}, {"v": 1, "payload": {}}, {"v": 2}, {"v": 2, "payload": []}, "text", [1]]
)
async def test_an_event_without_the_envelope_is_answered(
    anywhere: Gateway, wallet: WalletKey, frame: Any
) -> None:
    async with gui(anywhere, wallet) as page:
        await page.emit("request_presets_list", frame)
        assert (await page.next("error"))["code"] == "INVALID_REQUEST"


async def test_others_are_not_told(live: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    engine_id, token = live.register_engine(wallet)
    async with gui(live, stranger) as other, gui(live, wallet) as page:
        await other.next("initial_engine_statuses")
        async with engine(live, engine_id, token) as link:
            await link.call(
                "engine_vitals_update", {"engine_id": engine_id, "cpu_percent": 1, "memory_percent": 2}
            )
            await page.next("engine_vitals_update", engine_id=engine_id)
        await page.next("engine_status_update", engine_id=engine_id, status="offline")
        # Answers come in order, so what was meant for the other one would be here before this.
        await other.emit("anything", {"v": 2, "payload": {}})
        await other.next("error")
        assert other.seen == []
