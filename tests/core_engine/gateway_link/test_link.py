"""The link against a real Socket.IO server: handshake, pace, claims, refusals, losses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core_engine.gateway_link import link as link_module
from core_engine.gateway_link import session as session_module
from core_engine.gateway_link.introduction import Introduction
from core_engine.gateway_link.link import GatewayLink, LinkState, LinkTarget
from core_engine.gateway_link.vitals import Pulse, Vitals
from shared.clock import SystemClock
from shared.contract.engine import EngineReady, EngineVitals, LinkVitals
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.gateway_link.gateway import ENGINE_ID, OWNER, SECRET, TOKEN, Gateway, running
from tests.support.tcp import serving

READY = {"engine_id": ENGINE_ID, "internal_api_url": "http://127.0.0.1:8989", "capabilities": ["workflow"]}


class Rights:
    """Stands where `AccessControl` stands; notes what the link reports."""

    def __init__(self) -> None:
        self.owners: list[str | None] = []
        self.lists: asyncio.Queue[Any] = asyncio.Queue()

    async def meet_owner(self, address: str | None) -> None:
        self.owners.append(address)

    async def claim(self, address: str, proof: str) -> None:
        if proof != "good":
            raise FloworkError(ErrorCode.FORBIDDEN, "The claim is not valid for this engine.")

    async def take_guests(self, listed: Any) -> None:
        if listed == "malformed":
            raise FloworkError(ErrorCode.INVALID_REQUEST, "malformed")
        await self.lists.put(listed)


@asynccontextmanager
async def engine(
    gateway: Gateway, rights: Rights | None = None, *, longest: float = 0.2, token: str = TOKEN
) -> AsyncIterator[GatewayLink]:
    rights = rights or Rights()
    link = GatewayLink(
        LinkTarget(gateway.url, longest),
        Introduction(ENGINE_ID, token, SECRET, lambda: READY),
        owner=rights,
        take_guests=rights.take_guests,
        clock=SystemClock(),
    )
    task = asyncio.create_task(link.run(), name="link")
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the state of the link is no event
            await asyncio.sleep(0.01)


async def test_a_gateway_that_was_busy_is_told_again_that_the_engine_is_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else its link would stand and the engine be shown as offline for as long as it stands."""
    monkeypatch.setattr(session_module, "PING_SECONDS", 0.02)
    async with running() as gateway:
        gateway.answers["engine_ready"] = [{"ok": False, "error": "busy", "code": "BUSY"}, {"ok": True}]
        async with engine(gateway) as link:
            for _ in range(2):
                assert await gateway.next("engine_ready") == READY
            for _ in range(5):
                await gateway.next("core:ping")
            assert gateway.answers["engine_ready"] == []
            assert not [name for name, _ in gateway.events._queue if name == "engine_ready"]
            assert link.state is LinkState.CONNECTED
            assert len(gateway.handshakes) == 1


async def test_the_handshake_is_the_documented_one() -> None:
    rights = Rights()
    async with running() as gateway, engine(gateway, rights) as link:
        ready = await gateway.next("engine_ready")
        assert ready == READY
        EngineReady.model_validate(ready)
        assert await rights.lists.get() == [OWNER]
        assert rights.owners == [OWNER]
        assert link.state is LinkState.CONNECTED
        headers, auth = gateway.handshakes[0]
        assert auth == {"engine_id": ENGINE_ID, "token": TOKEN}
        assert headers["HTTP_AUTHORIZATION"] == f"Bearer {TOKEN}"
        assert headers["HTTP_X_API_KEY"] == SECRET
        (asked,) = gateway.list_headers
        assert (asked["X-Engine-Id"], asked["X-Engine-Token"], asked["X-API-Key"]) == (
            ENGINE_ID,
            TOKEN,
            SECRET,
        )


async def test_vitals_are_passed_on_and_the_latest_waits_for_the_connection() -> None:
    async with running() as gateway, engine(gateway) as link:
        for busy in (False, True):
            link.report(Vitals(ENGINE_ID, 12.5, 40.0, busy, 1_700_000_000_000))
        sent = await gateway.next("engine_vitals_update")
        assert sent == {
            "engine_id": ENGINE_ID,
            "cpu_percent": 12.5,
            "memory_percent": 40.0,
            "is_busy": True,
            "ts": 1_700_000_000.0,
        }
        link.report(Vitals(ENGINE_ID, 1.0, 40.0, False, 1_700_000_010_000))
        assert (await gateway.next("engine_vitals_update"))["cpu_percent"] == 1.0


async def test_pings_follow_at_their_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "PING_SECONDS", 0.02)
    async with running() as gateway, engine(gateway):
        first, second = [(await gateway.next("core:ping"))["ts"] for _ in range(2)]
        assert second > first


@pytest.mark.parametrize(
    "wrap", [lambda data: data, lambda data: {"v": 2, "payload": data}], ids=["bare", "v2"]
)
async def test_claims_are_judged_by_the_engine_and_acknowledged(wrap: Any) -> None:
    async with running(owner=None) as gateway, engine(gateway):
        await gateway.next("engine_ready")
        assert await gateway.tell("engine_claim", wrap({"address": OWNER, "proof": "good"})) == {
            "accepted": True
        }
        refused = await gateway.tell("engine_claim", wrap({"address": OWNER, "proof": "bad"}))
        assert refused == {"accepted": False, "error": "The claim is not valid for this engine."}
        for broken in (None, [], {}, {"address": 1, "proof": []}, {"address": OWNER}):
            answer = await gateway.tell("engine_claim", wrap(broken))
            assert answer["accepted"] is False


async def test_the_list_is_fetched_again_when_the_gateway_says_so() -> None:
    rights = Rights()
    async with running() as gateway, engine(gateway, rights):
        assert await rights.lists.get() == [OWNER]
        gateway.guests = []
        await gateway.tell("force_refresh_auth_list", {"message": "changed"})
        async with asyncio.timeout(30):
            assert await rights.lists.get() == []


@pytest.mark.parametrize(
    ("status", "guests"), [(500, []), (401, {"error": "no"}), (302, []), (200, "malformed")]
)
async def test_a_list_that_cannot_be_had_is_asked_for_again(status: int, guests: Any) -> None:
    rights = Rights()
    async with running() as gateway:
        gateway.guest_status, gateway.guests = status, guests
        async with engine(gateway, rights):
            for _ in range(3):
                await gateway.next("list")
            assert rights.lists.empty()
            gateway.guest_status, gateway.guests = 200, [OWNER]
            async with asyncio.timeout(60):
                assert await rights.lists.get() == [OWNER]


async def test_a_list_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core_engine.gateway_link.guests.MAX_BYTES", 1000)
    rights = Rights()
    async with running() as gateway:
        gateway.guests = [OWNER] * 100
        async with engine(gateway, rights):
            for _ in range(2):
                await gateway.next("list")
            assert rights.lists.empty()


async def test_a_wrong_token_is_logged_and_tried_slowly(caplog: pytest.LogCaptureFixture) -> None:
    async with running() as gateway:
        with caplog.at_level(logging.INFO):
            async with engine(gateway, longest=0.5, token="dev_engine_" + "f" * 32) as link:
                begun = asyncio.get_running_loop().time()
                for _ in range(3):
                    await gateway.next("refused")
                elapsed = asyncio.get_running_loop().time() - begun
                await until(lambda: link.state is LinkState.AUTH_FAILED)
        refusals = [record for record in caplog.records if record.getMessage().startswith("auth_failed")]
        assert 2 <= len(refusals) <= 3, "once per attempt"
        assert refusals[0].reason == "Invalid engine_id or token"
        assert elapsed >= 2 * 0.75 * 0.5, "not sooner than three quarters of the longest wait"
        assert "f" * 32 not in caplog.text


async def test_a_token_that_becomes_right_connects_by_itself() -> None:
    async with running(token="dev_engine_" + "e" * 32) as gateway, engine(gateway) as link:
        await gateway.next("refused")
        gateway.token = TOKEN
        await gateway.next("engine_ready")
        await until(lambda: link.state is LinkState.CONNECTED)


async def test_the_link_comes_back_after_a_gateway_restart() -> None:
    rights = Rights()
    async with running() as gateway, engine(gateway, rights) as link:
        await gateway.next("engine_ready")
        await gateway.stop()
        await until(lambda: link.state is LinkState.UNREACHABLE)
        again = Gateway()
        again.port = gateway.port
        await again.start()
        try:
            await again.next("engine_ready")
            await again.next("list")
            assert link.state is LinkState.CONNECTED
        finally:
            await again.stop()
            await gateway.start()


async def test_a_gateway_that_comes_late_is_found() -> None:
    gone = Gateway()
    await gone.start()
    await gone.stop()
    async with engine(gone) as link:
        await until(lambda: link.state is LinkState.UNREACHABLE)
        link.report(Vitals(ENGINE_ID, 0, 0, False, 0))
        late = Gateway()
        late.port = gone.port
        await late.start()
        try:
            await late.next("engine_vitals_update")
        finally:
            await late.stop()


async def test_a_half_open_connection_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "HEARTBEAT_SECONDS", 0.4)
    async with running() as gateway, silent_between(gateway) as wire:
        relayed = Gateway()
        relayed.port = wire.port
        async with engine(relayed) as link:
            await gateway.next("engine_ready")
            await until(lambda: link.state is LinkState.CONNECTED)
            wire.cut()
            begun = asyncio.get_running_loop().time()
            await until(lambda: link.state is LinkState.UNREACHABLE)
            assert asyncio.get_running_loop().time() - begun < 3
    assert session_module.HEARTBEAT_SECONDS * 1.5 < 30


async def test_silence_behind_a_proxy_that_answers_pings_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "PING_SECONDS", 0.02)
    monkeypatch.setattr(session_module, "SILENCE_SECONDS", 0.3)
    async with running() as gateway, engine(gateway, longest=30) as link:
        await gateway.next("core:ping")
        await until(lambda: link.state is LinkState.CONNECTED)
        monkeypatch.setattr(gateway.sio, "_handle_event", swallow)
        await until(lambda: link.state is LinkState.UNREACHABLE)


async def test_nothing_a_gateway_does_ends_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    rights = Rights()
    attempts: list[str] = []

    async def explode(self: GatewayLink) -> None:
        attempts.append("attempt")
        raise RuntimeError("unheard of")

    async with running() as gateway:
        with monkeypatch.context() as patched:
            patched.setattr(link_module.GatewayLink, "_connect_once", explode)
            async with engine(gateway, rights) as link:
                await until(lambda: len(attempts) > 2)
                patched.undo()
                await until(lambda: link.state is LinkState.CONNECTED)


async def test_the_pulse_measures_this_machine_and_says_so_in_both_forms() -> None:
    told: asyncio.Queue[Vitals] = asyncio.Queue()
    pulse = Pulse(ENGINE_ID, 0.05, busy=lambda: True, clock=SystemClock())
    pulse.subscribe(told.put_nowait)
    task = asyncio.create_task(pulse.run(), name="pulse")
    try:
        async with asyncio.timeout(60):
            first, second = await told.get(), await told.get()
    finally:
        task.cancel()
    assert second.at_ms > first.at_ms
    assert 0 < first.memory_percent < 100
    EngineVitals.model_validate(first.to_frame())
    LinkVitals.model_validate(first.to_link())


async def swallow(*_: Any) -> None:
    """Take a packet and do nothing, as a dead gateway behind a live proxy does."""


class Wire:
    """A TCP relay that can fall silent without closing anything."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._open = True
        self.port = 0

    def cut(self) -> None:
        self._open = False

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if self._open:
                writer.write(data)


@asynccontextmanager
async def silent_between(gateway: Gateway) -> AsyncIterator[Wire]:
    wire = Wire(gateway.port)
    async with serving(wire.relay) as wire.port:
        yield wire
