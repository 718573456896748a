"""The engine behind the relay: it believes proofs and not the gateway, and a page gets its own events in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from core_engine.app import Engine
from core_engine.commands.command import CommandContext, CommandHandler
from core_engine.gateway_link.relay_session import RelaySession
from shared.contract.preset import LoadPreset, PresetsList, RequestPresetsList, SavePreset
from shared.ids import new_id
from shared.signing.envelope import OpenedMessage, seal
from shared.signing.keys import WalletKey
from tests.core_engine.engine import (
    ADMIN,
    CLOCK,
    ENGINE_ID,
    OWNER,
    READER,
    STRANGER,
    admit,
    chain,
    engine,
    waiting,
)

FINAL = {"SUCCEEDED", "FAILED", "STOPPED"}


def signed_in(key: WalletKey, at_ms: int | None = None) -> dict[str, str]:
    message = f"flowork_socket_auth|{key.address}|{(at_ms or CLOCK.now_ms()) // 1000}"
    return {"address": key.address, "message": message, "signature": key.sign_text(message)}


class Gateway:
    """Plays the gateway: passes commands on for one page, keeps what comes back."""

    def __init__(self, of: Engine, key: WalletKey = OWNER, label: str = "page-" + "0" * 16) -> None:
        self.relay = of.relay
        self.auth = signed_in(key)
        self.label = label
        self.told: list[tuple[str, Any]] = []
        self.receipt: dict[str, Any] = {"ok": True, "room": 500}
        self._news = asyncio.Condition()

    async def send(self, event: str, data: dict[str, Any]) -> Any:
        assert event == "relay_events"
        async with self._news:
            if data["session"] == self.label and self.receipt["ok"]:
                self.told += [(item["event"], item["data"]) for item in data["events"]]
                assert len(json.dumps(data)) <= 1024 * 1024
            self._news.notify_all()
        return self.receipt

    async def open(self) -> None:
        frame = {"session": self.label, "auth": self.auth, "max_bytes": 64 * 1024}
        assert await self.relay.handlers["relay_open"](frame) == {"ok": True}

    async def left(self) -> None:
        await self.relay.handlers["relay_left"]({"session": self.label})

    async def command(self, event: str, *, envelope: str | None = None, **payload: Any) -> None:
        frame = {"session": self.label, "auth": self.auth, "event": event, "max_bytes": 64 * 1024}
        frame |= {"payload": json.dumps(payload)} if envelope is None else {"envelope": envelope}
        assert await self.relay.handlers["relay_command"](frame) == {"ok": True}

    async def next(self, event: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        def find() -> Any:
            return next((data for name, data in self.told if name == event and wanted(data)), None)

        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: find() is not None), 10)
        return find()

    async def finish(self, job_id: str) -> Any:
        return await self.next(
            "WORKFLOW_EXECUTION_UPDATE",
            lambda data: data["job_id"] == job_id and data["status_data"]["status"] in FINAL,
        )

    def seqs(self) -> list[int]:
        return [data["seq"] for _, data in self.told if "seq" in data]


@asynccontextmanager
async def behind(folder: Path, **environment: str) -> AsyncIterator[tuple[Engine, Gateway]]:
    async with engine(folder, **environment) as running:
        gateway = Gateway(running)
        running.relay.connected(gateway.send)
        yield running, gateway


async def start(gateway: Gateway, workflow: dict[str, Any]) -> str:
    job_id = new_id()
    await gateway.command("execute_workflow", job_id=job_id, workflow_data=workflow)
    return job_id


async def test_a_page_that_signed_in_runs_a_workflow(tmp_path: Path) -> None:
    async with behind(tmp_path) as (_, gateway):
        job_id = await start(gateway, chain(3))
        assert (await gateway.finish(job_id))["status_data"]["status"] == "SUCCEEDED"
        assert gateway.seqs() == list(range(1, len(gateway.seqs()) + 1))
        await gateway.command("list_runs", request_id="mine")
        assert (await gateway.next("runs_list_response"))["request_id"] == "mine"
        await gateway.command("request_components_list", component_type="modules")
        answer = await gateway.next("response_component_list")
        assert answer["v"] == 2
        assert "request_id" not in answer["payload"]


@pytest.mark.parametrize(
    "what", ["stale", "forged", "other address", "no purpose", "stranger", "not JSON", "twice"]
)
async def test_what_is_not_proven_is_not_done(tmp_path: Path, what: str) -> None:
    async with behind(tmp_path) as (running, gateway):
        payload = {"workflow_data": chain(1), "job_id": "job-1"}
        match what:
            case "stale":
                gateway.auth = signed_in(OWNER, CLOCK.now_ms() - 302_000)
            case "forged":
                gateway.auth["signature"] = STRANGER.sign_text(gateway.auth["message"])
            case "other address":
                gateway.auth["address"] = STRANGER.address
            case "no purpose":
                text = str(CLOCK.now_ms())
                gateway.auth |= {"message": text, "signature": OWNER.sign_text(text)}
            case "stranger":
                gateway.auth = signed_in(STRANGER)
        frame = {"session": gateway.label, "auth": gateway.auth, "event": "execute_workflow"}
        text = {"not JSON": "{", "twice": '{"job_id": "job-1", "job_id": "job-1"}'}.get(
            what, json.dumps(payload)
        )
        await running.relay.handlers["relay_command"](frame | {"payload": text})
        error = await gateway.next("error")
        assert error["code"] in {"STALE", "BAD_SIGNATURE", "UNAUTHENTICATED", "FORBIDDEN", "INVALID_REQUEST"}
        if what != "not JSON":
            status = await gateway.next("WORKFLOW_EXECUTION_UPDATE")
            assert status["status_data"] == {"status": "FAILED", "error_message": error["message"]}
        assert await running.runs.listing(started_by=None, status=None, before=None, limit=5) == []


async def test_roles_are_the_engines_own(tmp_path: Path) -> None:
    async with behind(tmp_path) as (running, gateway):
        await admit(running)
        gateway.auth = signed_in(READER)
        await gateway.command("execute_workflow", workflow_data=chain(1), user_context={"role": "owner"})
        assert (await gateway.next("error"))["details"] == {"required_role": "runner"}
        await gateway.command("list_runs")
        await gateway.next("runs_list_response")


async def test_bound_mode_takes_sealed_messages_only_and_each_once(tmp_path: Path) -> None:
    async with behind(tmp_path, ENGINE_ENVELOPE="bound") as (running, gateway):
        await gateway.open()
        refused = await start(gateway, chain(1))
        assert (await gateway.next("error"))["code"] == "UNAUTHENTICATED"
        assert (await gateway.finish(refused))["status_data"]["status"] == "FAILED"
        payload = {"type": "execute_workflow", "job_id": "job-1", "workflow_data": chain(1)}
        sealed = seal(OWNER, ENGINE_ID, payload, now_ms=CLOCK.now_ms())
        for code, changed, event in [
            ("BAD_SIGNATURE", sealed.replace("job-1", "job-2"), "execute_workflow"),
            ("INVALID_REQUEST", seal(OWNER, ENGINE_ID, payload, now_ms=CLOCK.now_ms()), "list_runs"),
            ("UNAUTHENTICATED", seal(OWNER, "engine-2", payload, now_ms=CLOCK.now_ms()), "execute_workflow"),
            ("INVALID_REQUEST", "\ud800", "execute_workflow"),
        ]:
            gateway.told.clear()
            await gateway.command(event, envelope=changed)
            assert (await gateway.next("error"))["code"] == code
        gateway.auth = {"address": "", "message": "", "signature": ""}
        await gateway.command("execute_workflow", envelope=sealed)
        assert (await gateway.finish("job-1"))["status_data"]["status"] == "SUCCEEDED"
        await gateway.command("execute_workflow", envelope=sealed)
        await gateway.next("error", lambda data: data["code"] == "REPLAYED")
        listed = await running.runs.listing(started_by=None, status=None, before=None, limit=5)
        assert [run.job_id for run in listed] == ["job-1"]


async def test_a_page_that_was_away_gets_what_it_missed_once(tmp_path: Path) -> None:
    async with behind(tmp_path) as (_, gateway):
        job_id = await start(gateway, waiting(0.2, length=3))
        await gateway.next("NODE_METRIC_UPDATE")
        await gateway.left()
        seen = len(gateway.told)
        await asyncio.sleep(0.3)
        assert len(gateway.told) == seen, "nothing is sent meanwhile"
        await gateway.open()
        await gateway.finish(job_id)
        assert gateway.seqs() == list(range(1, len(gateway.seqs()) + 1))


async def test_a_batch_that_the_gateway_did_not_take_comes_again(tmp_path: Path) -> None:
    async with behind(tmp_path) as (running, gateway):
        job_id = await start(gateway, waiting(0.3, length=2))
        await gateway.next("NODE_METRIC_UPDATE")
        gateway.receipt = {"ok": False, "room": 0}
        session = next(iter(running.relay._sessions.values()))
        async with asyncio.timeout(60):
            while not session.away:  # noqa: ASYNC110 - the engine decides when it sends
                await asyncio.sleep(0.01)
        gateway.receipt = {"ok": True, "room": 1}
        await gateway.open()
        await gateway.finish(job_id)
        assert gateway.seqs() == list(range(1, len(gateway.seqs()) + 1))


async def test_a_page_that_is_back_before_the_gateway_speaks_of_its_old_connection_is_answered(
    tmp_path: Path,
) -> None:
    """What it asked on the new connection, and what it was owed, must not be lost with the old one."""
    async with behind(tmp_path) as (running, gateway):
        sending, speak = asyncio.Event(), asyncio.Event()

        async def send(event: str, data: dict[str, Any]) -> Any:
            if sending.is_set():
                return await gateway.send(event, data)
            sending.set()
            await speak.wait()
            return {"ok": False, "room": 0}

        running.relay.connected(send)
        await gateway.command("list_runs", request_id="owed")
        await asyncio.wait_for(sending.wait(), 10)
        job_id = await start(gateway, chain(2))
        await gateway.command("list_runs", request_id="new")
        speak.set()
        for request in ("owed", "new"):
            await gateway.next(
                "runs_list_response", lambda data, request=request: data["request_id"] == request
            )
        await gateway.finish(job_id)
        assert gateway.seqs() == list(range(1, len(gateway.seqs()) + 1))


async def test_a_gateway_that_says_nothing_once_is_told_again(tmp_path: Path) -> None:
    async with behind(tmp_path) as (running, gateway):
        silent = True

        async def send(event: str, data: dict[str, Any]) -> Any:
            nonlocal silent
            if silent:
                silent = False
                raise ConnectionError("no acknowledgement in time")
            return await gateway.send(event, data)

        running.relay.connected(send)
        await gateway.command("list_runs", request_id="mine")
        assert (await gateway.next("runs_list_response"))["request_id"] == "mine"
        job_id = await start(gateway, chain(2))
        await gateway.finish(job_id)


async def test_two_pages_get_their_own_runs_only(tmp_path: Path) -> None:
    async with behind(tmp_path) as (running, first):
        await admit(running)
        second = Gateway(running, ADMIN, "page-" + "1" * 16)

        async def both(event: str, data: dict[str, Any]) -> Any:
            return await (first if data["session"] == first.label else second).send(event, data)

        running.relay.connected(both)
        jobs = [await start(first, chain(2)), await start(second, chain(2))]
        for gateway, job_id in zip((first, second), jobs, strict=True):
            await gateway.finish(job_id)
            assert {data["job_id"] for _, data in gateway.told if "job_id" in data} == {job_id}


async def test_a_revoked_guest_gets_no_more_events(tmp_path: Path) -> None:
    async with behind(tmp_path) as (running, gateway):
        await admit(running)
        gateway.auth = signed_in(ADMIN)
        job_id = await start(gateway, waiting(0.2, length=2))
        await gateway.next("NODE_METRIC_UPDATE")
        await running.access.replace_guests([OWNER.address])
        async with asyncio.timeout(60):
            while running.runs.summary(job_id).status.value not in FINAL:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.02)
        assert all(data["status_data"]["status"] == "RUNNING" for name, data in gateway.told
                   if name == "WORKFLOW_EXECUTION_UPDATE")  # fmt: skip
        await gateway.command("list_runs")
        assert (await gateway.next("error"))["code"] == "FORBIDDEN"


async def test_a_popup_that_is_too_large_for_the_gateway_is_shortened(tmp_path: Path) -> None:
    async with behind(tmp_path) as (_, gateway):
        workflow = chain(1, "debug_popup_module", content="é" * 20_000, popup_title="Large")
        job_id = await start(gateway, workflow)
        popup = await gateway.next("SHOW_DEBUG_POPUP")
        assert popup["title"] == "Large"
        assert "too many for the gateway" in popup["content"]
        await gateway.finish(job_id)


async def test_installing_is_answered(tmp_path: Path) -> None:
    async with behind(tmp_path) as (_, gateway):
        await gateway.command("install_component", component_type="modules", component_id="x")
        answer = (await gateway.next("component_install_status"))["payload"]
        assert (answer["component_id"], answer["success"], answer["stage"]) == ("x", True, "checking")
        refused = await gateway.next("component_install_status", lambda data: not data["payload"]["success"])
        answer = refused["payload"]
        assert answer["component_id"] == "x"
        assert "no component x" in answer["message"]


async def test_a_list_asked_for_right_after_a_save_shows_it(tmp_path: Path) -> None:
    """The stock page sends both at once; what changes something is over before the next command begins."""
    saving, order = asyncio.Event(), []

    async def save(_: CommandContext, message: SavePreset) -> PresetsList:
        order.append("save begins")
        await saving.wait()
        order.append("save ends")
        return PresetsList(presets=[])

    async def listing(_: CommandContext, message: RequestPresetsList) -> PresetsList:
        order.append("list")
        return PresetsList(presets=[])

    async with behind(tmp_path) as (running, gateway):
        own = running._dispatcher._handlers
        own |= {"save_preset": CommandHandler(SavePreset, save),
                "request_presets_list": CommandHandler(RequestPresetsList, listing)}  # fmt: skip
        await gateway.command("save_preset", name="a", workflow_data={}, signature="0x", request_id="1")
        await gateway.command("request_presets_list", request_id="2")
        await gateway.command("stop_workflow", request_id="3")
        assert (await gateway.next("error"))["request_id"] == "3", "a stop never waits"
        saving.set()
        await gateway.next("response_presets_list", lambda data: data["payload"]["request_id"] == "2")
        assert order == ["save begins", "save ends", "list"]


async def test_too_many_that_wait_are_refused(tmp_path: Path) -> None:
    async def never(_: CommandContext, message: SavePreset) -> None:
        await asyncio.Event().wait()

    async with behind(tmp_path) as (running, gateway):
        running._dispatcher._handlers["save_preset"] = CommandHandler(SavePreset, never)
        await gateway.command("save_preset", name="a", workflow_data={}, signature="0x")
        for number in range(65):
            await gateway.command("load_preset", name=f"p{number}")
        answer = (await gateway.next("response_load_preset"))["payload"]
        assert answer["name"] == "p64"
        assert "may wait" in answer["error"]


async def test_the_file_browser_has_one_name_for_two_commands(tmp_path: Path) -> None:
    asked: list[str] = []

    class Dispatcher:
        def begin(self, message: OpenedMessage, caller: Any, visit: Any) -> None:
            assert visit is None
            asked.append(message.payload["type"])

    session = RelaySession("label", Dispatcher(), None)  # type: ignore[arg-type]
    for payload in ({"path": ""}, {}, {"path": "/a"}):
        session.take("filesystem_list_request", OpenedMessage("0x", payload, False, "", None, None))
    assert asked == ["request_drives", "request_drives", "request_directory_list"]
    assert LoadPreset.name == "load_preset"


@pytest.mark.parametrize("frame", [None, 7, {}, {"session": "short"}, {"session": "x" * 20, "auth": {}}])
async def test_a_frame_that_is_not_understood_is_refused(tmp_path: Path, frame: Any) -> None:
    async with behind(tmp_path) as (running, _):
        for name in ("relay_open", "relay_command"):
            assert (await running.relay.handlers[name](frame))["ok"] is False


async def test_after_a_restart_a_page_goes_on_with_its_own_runs_only(tmp_path: Path) -> None:
    async with behind(tmp_path) as (running, first):
        await admit(running)
        own = await start(first, waiting(0.3, length=2))
        await first.next("NODE_METRIC_UPDATE")
        # What the gateway tells an engine that does not know these pages.
        for key, digit in ((OWNER, "2"), (READER, "3"), (STRANGER, "4")):
            label = "page-" + digit * 16
            frame = {"session": label, "auth": signed_in(key), "runs": {own: 1, "unknown": 0}}
            assert await running.relay.handlers["relay_open"](frame) == {"ok": True}
        sent = {label: list(session._followed) for label, session in running.relay._sessions.items()}
        assert sent == {first.label: [own], "page-" + "2" * 16: [own]}
        await first.finish(own)
