"""The gateway as a courier: where commands go, what is passed on, and to whom an engine's events may go."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.realtime.relay import BURST, MAX_REFUSED
from shared.contract.relay import RelayCommand, RelayOpen
from shared.signing.keys import WalletKey
from shared.signing.rest import verify_socket_auth
from tests.gateway.support import Gateway, Peer, engine, gui


@contextlib.asynccontextmanager
async def working(gateway: Gateway, engine_id: str, token: str) -> AsyncIterator[tuple[Peer, list[Any]]]:
    """Connect as an engine that takes commands; yield its link and the commands."""
    taken: list[Any] = []

    async def take(data: Any) -> dict[str, Any]:
        taken.append(data)
        return {"ok": True}

    async with engine(gateway, engine_id, token) as link:
        link.client.on("relay_command", take, namespace="/engine-socket")
        yield link, taken


async def ask(page: Peer, event: str, **payload: Any) -> Any:
    return await page.call(event, {"v": 2, "payload": {"type": event, **payload}})


def share(gateway: Gateway, owner: WalletKey, engine_id: str, guest: WalletKey, role: str) -> None:
    body = {"user_id": guest.address, "role": role}
    assert gateway.call(owner, "POST", f"/engines/{engine_id}/shares", body).status_code == 201


def event(name: str = "WORKFLOW_LOG_ENTRY", **data: Any) -> dict[str, Any]:
    return {"event": name, "data": data or {"message": "hello"}}


async def test_a_command_arrives_with_the_proof_of_its_page_and_without_claims(
    anywhere: Gateway, wallet: WalletKey
) -> None:
    engine_id, token = anywhere.register_engine(wallet)
    async with working(anywhere, engine_id, token) as (link, taken), gui(anywhere, wallet) as page:
        opened = RelayOpen.model_validate(await link.next("relay_open"))
        claims = {
            "user_context": {"id": "x"},
            "_target_user_id": "y",
            "__fac__": {},
            "target_engine_id": engine_id,
        }
        assert await ask(page, "load_preset", name="a", **claims) == {"ok": True}
        command = RelayCommand.model_validate(taken[0])
        assert command.session == opened.session
        assert json.loads(command.payload or "") == {"type": "load_preset", "name": "a"}
        proof = verify_socket_auth(
            {"X-User-Address": command.auth.address, "X-Signed-Message": command.auth.message,
             "X-Signature": command.auth.signature}, now_ms=anywhere.now(), max_age_ms=300_000,
        )  # fmt: skip
        assert proof.address == wallet.address.lower()
        await ask(page, "execute_workflow", envelope='{"auth": {}}')
        assert taken[1]["envelope"] == '{"auth": {}}'
        assert "payload" not in taken[1]
        await page.emit("filesystem_list_request", {"path": "/a"})
        await ask(page, "list_runs")
        assert json.loads(taken[2]["payload"]) == {"path": "/a"}, "a bare one is understood too"
    async with engine(anywhere, engine_id, token, ready=True) as link:
        async with gui(anywhere, wallet) as page:
            opened = await link.next("relay_open")
        assert (await link.next("relay_left"))["session"] == opened["session"]


async def test_a_page_is_introduced_to_an_engine_that_comes_later(
    anywhere: Gateway, wallet: WalletKey
) -> None:
    engine_id, token = anywhere.register_engine(wallet)
    async with gui(anywhere, wallet) as page:
        await page.next("initial_engine_statuses")
        async with engine(anywhere, engine_id, token) as link:
            assert (await link.next("relay_open"))["auth"]["address"] == wallet.address.lower()


async def test_own_engines_come_before_shared_ones_and_others_are_never_used(
    anywhere: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    shared, shared_token = anywhere.register_engine(stranger, "A")
    foreign, foreign_token = anywhere.register_engine(stranger, "B")
    share(anywhere, stranger, shared, wallet, "runner")
    own, own_token = anywhere.register_engine(wallet, "C")
    async with (
        working(anywhere, foreign, foreign_token) as (_, foreign_taken),
        gui(anywhere, wallet) as page,
    ):
        for target in (foreign, "anywhere-engine-default", "", None, 7, own):
            answer = await ask(page, "list_runs", target_engine_id=target)
            assert answer["code"] == "ENGINE_UNAVAILABLE"
        async with working(anywhere, shared, shared_token) as (_, shared_taken):
            for target in (foreign, "anywhere-engine-default", own, None, shared):
                assert await ask(page, "list_runs", target_engine_id=target) == {"ok": True}
            assert len(shared_taken) == 5
            async with working(anywhere, own, own_token) as (_, own_taken):
                for target in ("anywhere-engine-default", foreign, "dead"):
                    assert await ask(page, "list_runs", target_engine_id=target) == {"ok": True}
                assert len(own_taken) == 3
                assert await ask(page, "list_runs", target_engine_id=shared) == {"ok": True}
                assert len(shared_taken) == 6
        assert foreign_taken == []


async def test_a_reader_is_told_what_he_may_not_do(
    anywhere: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    engine_id, token = anywhere.register_engine(stranger)
    share(anywhere, stranger, engine_id, wallet, "reader")
    async with working(anywhere, engine_id, token) as (_, taken), gui(anywhere, wallet) as page:
        answer = await ask(page, "execute_workflow", job_id="job-1")
        assert answer["code"] == "FORBIDDEN"
        status = await page.next("WORKFLOW_EXECUTION_UPDATE")
        assert (status["job_id"], status["status_data"]["status"]) == ("job-1", "FAILED")
        assert (await page.next("error"))["details"] == {"required_role": "runner"}
        assert await ask(page, "list_runs") == {"ok": True}
        assert [item["event"] for item in taken] == ["list_runs"]


async def test_an_engine_that_does_not_take_a_command_leaves_nobody_waiting(
    anywhere: Gateway, wallet: WalletKey
) -> None:
    engine_id, token = anywhere.register_engine(wallet)
    async with engine(anywhere, engine_id, token), gui(anywhere, wallet) as page:
        assert (await ask(page, "request_presets_list"))["code"] == "ENGINE_UNAVAILABLE"
        assert (await page.next("response_presets_list"))["error"]


async def test_a53_a64_events_reach_only_the_page_they_are_for(
    anywhere: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    engine_id, token = anywhere.register_engine(wallet)
    other_id, other_token = anywhere.register_engine(stranger)
    later = anywhere.gui_auth(wallet, anywhere.now() - 5000)
    async with (
        working(anywhere, engine_id, token) as (link, _),
        gui(anywhere, wallet) as page,
    ):
        session = (await link.next("relay_open"))["session"]
        async with (
            working(anywhere, other_id, other_token) as (other_link, _),
            gui(anywhere, stranger) as other,
            gui(anywhere, wallet, auth=later) as second,
        ):
            mine = await other_link.next("relay_open")
            receipt = await link.call("relay_events", {"session": session, "events": [event(message="one")]})
            assert receipt["ok"] is True
            assert receipt["room"] > 0
            # Another engine's events for a page of somebody else, and events for a page that nobody opened.
            for label, sender in ((session, other_link), (mine["session"], link), ("0" * 32, link)):
                receipt = await sender.call(
                    "relay_events", {"session": label, "events": [event(message="no")]}
                )
                assert receipt == {"ok": False, "room": 0}
            bad = [
                event("engine_deleted"),
                event("initial_engine_statuses"),
                event("engine_vitals_update"),
                event("WORKFLOW_LOG_ENTRY", payload={"message": "no"}),
                event("WORKFLOW_LOG_ENTRY", message="two"),
            ]
            await link.call("relay_events", {"session": session, "events": bad})
            assert (await page.next("WORKFLOW_LOG_ENTRY"))["message"] == "one"
            assert (await page.next("WORKFLOW_LOG_ENTRY"))["message"] == "two"
            for peer in (page, other, second):
                await peer.emit("marker", {"v": 2, "payload": {}})
                await peer.next("error")
                quiet = {"initial_engine_statuses", "engine_status_update"}
                assert [name for name, _ in peer.seen if name not in quiet] == []


async def test_a_share_that_ended_ends_the_events(
    anywhere: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    engine_id, token = anywhere.register_engine(stranger)
    share(anywhere, stranger, engine_id, wallet, "runner")
    async with working(anywhere, engine_id, token) as (link, _), gui(anywhere, wallet):
        frame = {"session": (await link.next("relay_open"))["session"], "events": [event()]}
        assert (await link.call("relay_events", frame))["ok"] is True
        path = f"/engines/{engine_id}/shares/{wallet.address}"
        assert anywhere.call(stranger, "DELETE", path).status_code == 200
        assert (await link.call("relay_events", frame))["ok"] is False


@pytest.mark.parametrize("frame", [{}, {"session": "x"}, {"session": "x", "events": [{"event": 1}]}])
async def test_a_malformed_frame_of_an_engine_is_refused(
    anywhere: Gateway, wallet: WalletKey, frame: dict[str, Any]
) -> None:
    engine_id, token = anywhere.register_engine(wallet)
    async with engine(anywhere, engine_id, token) as link:
        assert (await link.call("relay_events", frame))["code"] == "INVALID_REQUEST"


async def test_a57_a_flood_is_refused_and_then_ends_the_connection(
    anywhere: Gateway, wallet: WalletKey
) -> None:
    engine_id, token = anywhere.register_engine(wallet)
    async with working(anywhere, engine_id, token) as (_, taken), gui(anywhere, wallet) as page:
        for _ in range(10 * (int(BURST) + 2 * MAX_REFUSED)):  # a busy machine sends slowly
            if page.closed.is_set():
                break
            with contextlib.suppress(Exception):
                await page.emit("request_presets_list", {"v": 2, "payload": {}})
        await page.wait_closed(60)  # what was sent before is looked at first
        assert any(
            "events a second" in data.get("error", "") for _, data in page.seen if isinstance(data, dict)
        )
        assert len(taken) < 12 * BURST
        await asyncio.sleep(0)
