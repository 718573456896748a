"""Sharing from end to end: what an owner signed lets others in, through gateway and engine, and nothing else does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core_engine.app import Engine
from shared.contract.base import Role
from shared.ids import new_id
from shared.signing.grants import Grant, grant_text
from shared.signing.keys import WalletKey
from shared.signing.presets import sign_preset
from tests.core_engine.engine import OTHER
from tests.core_engine.engine import engine as start_engine
from tests.gateway.support import Gateway, Peer, gui, in_process

WORKFLOW = {"nodes": [{"id": "a", "module_id": "delay", "config_values": {"seconds": 0}}], "connections": []}
SLOW = {"nodes": [{"id": "a", "module_id": "delay", "config_values": {"seconds": 30}}], "connections": []}


@pytest.fixture
def stranger() -> WalletKey:
    return WalletKey.create()[0]


@dataclass
class House:
    """A gateway, an engine behind it, and the engine's owner."""

    gateway: Gateway
    engine: Engine
    owner: WalletKey
    engine_id: str

    async def call(self, wallet: WalletKey, method: str, path: str, body: Any = None) -> Any:
        return await asyncio.to_thread(self.gateway.call, wallet, method, path, body)

    async def save(self, name: str, workflow: dict[str, Any]) -> None:
        signature = sign_preset(self.owner, workflow)
        by = self.owner.address.lower()
        await self.engine.rooms.presets.save(name, workflow, signature, by=by, based_on=None)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110 - the engine hears of it over its link
                await asyncio.sleep(0.02)

    async def link(self, preset: str, level: str, *, sign: bool = True) -> dict[str, Any]:
        body = {"permission_level": level}
        made = (await self.call(self.owner, "POST", f"/workflows/{preset}/shares", body)).json()
        if sign:
            word = {"text": made["grant_text"], "signature": self.owner.sign_text(made["grant_text"])}
            signed = await self.call(
                self.owner, "PUT", f"/workflow-shares/{made['share_id']}", {"grant": word}
            )
            assert signed.json()["needs_grant"] is False, signed.text
        return made


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    owner = WalletKey.create()[0]
    with in_process(folder / "gateway") as gateway:
        engine_id, token = await asyncio.to_thread(gateway.register_engine, owner)
        link = {"GATEWAY_URL": gateway.url, "FLOWORK_ENGINE_ID": engine_id, "FLOWORK_ENGINE_TOKEN": token}
        settings = link | {"FLOWORK_OWNER_ADDRESS": owner.address, "ENGINE_RECONNECT_MAX_SECONDS": "0.5"}
        async with start_engine(folder / "engine", **settings) as running:
            made = House(gateway, running, owner, engine_id)
            await made.until(lambda: gateway.engine(owner, engine_id)["status"] == "online")
            await made.save("Report", WORKFLOW)
            await made.save("Private", WORKFLOW)
            yield made


async def send(page: Peer, event: str, **fields: Any) -> Any:
    return await page.call(event, {"v": 2, "payload": {"type": event, **fields}})


async def final(page: Peer, job_id: str) -> str:
    while True:
        told = await page.next("WORKFLOW_EXECUTION_UPDATE", job_id=job_id)
        if told["status_data"]["status"] in {"SUCCEEDED", "FAILED", "STOPPED"}:
            return str(told["status_data"]["status"])


async def run(page: Peer, preset: str, **fields: Any) -> str:
    job_id = new_id()
    await send(page, "execute_workflow", job_id=job_id, preset_name=preset, **fields)
    return await final(page, job_id)


async def test_a_signed_grant_lets_a_guest_run_and_its_end_stops_that_at_once(
    tmp_path: Path, stranger: WalletKey
) -> None:
    async with house(tmp_path) as home, gui(home.gateway, stranger) as page:
        path, address = f"/user/engines/{home.engine_id}/share", stranger.address.lower()
        listed = await home.call(home.owner, "POST", path, {"user_id": stranger.address, "role": "runner"})
        assert (listed.status_code, listed.json()["needs_grant"]) == (201, True)
        assert (await page.next("new_shared_engine"))["role"] == "runner"
        await home.until(lambda: home.engine.access.role_of(address) is Role.READER)
        assert await run(page, "Report") == "FAILED", "the gateway's word alone makes nobody a runner"

        text = listed.json()["grant_text"]
        grant = {"text": text, "signature": home.owner.sign_text(text)}
        body = {"user_id": stranger.address, "role": "runner", "grant": grant}
        signed = await home.call(home.owner, "POST", path, body)
        assert (signed.status_code, signed.json()["needs_grant"]) == (200, False)
        assert (await page.next("shared_engine_updated"))["engine_id"] == home.engine_id
        await home.until(lambda: home.engine.access.role_of(address) is Role.RUNNER)
        assert await run(page, "Report") == "SUCCEEDED"

        gone = await home.call(home.owner, "DELETE", f"/engines/{home.engine_id}/shares/{stranger.address}")
        assert gone.status_code == 200
        assert await page.next("removed_shared_engine") == {"engine_id": home.engine_id}
        assert await run(page, "Report") == "FAILED"
        async with asyncio.timeout(60):
            await home.until(lambda: home.engine.access.role_of(address) is None)


async def test_a_link_opens_one_workflow_up_to_its_level(tmp_path: Path, stranger: WalletKey) -> None:
    async with house(tmp_path) as home, gui(home.gateway, stranger) as page:
        seen = (await home.link("Report", "view"))["share_token"]
        loaded = await send(page, "load_preset", name="Report", share_token=seen)
        assert loaded == {"ok": True}
        answer = await page.next("response_load_preset")
        assert answer["payload"]["workflow_data"] == WORKFLOW
        assert (await send(page, "load_preset", name="Private", share_token=seen))["code"] == "FORBIDDEN"
        assert await run(page, "Report", share_token=seen) == "FAILED"
        assert (await send(page, "request_presets_list", share_token=seen))["ok"] is False
        assert (await send(page, "load_preset", name="Report"))["ok"] is False, "no token, no entry"

        runs = (await home.link("Report", "view-run"))["share_token"]
        assert await run(page, "Report", share_token=runs) == "SUCCEEDED"
        assert await run(page, "Private", share_token=runs) == "FAILED"
        assert await run(page, "Report", share_token=runs, workflow_data=SLOW) == "FAILED"
        assert (await send(page, "request_variables", share_token=runs))["ok"] is False
        assert home.engine.access.role_of(stranger.address.lower()) is None


async def test_a_visitor_reaches_only_runs_of_its_own(tmp_path: Path, stranger: WalletKey) -> None:
    async with (
        house(tmp_path) as home,
        gui(home.gateway, stranger) as page,
        gui(home.gateway, home.owner) as own,
    ):
        await home.save("Slow", SLOW)
        token = (await home.link("Slow", "view-run"))["share_token"]
        theirs, mine = new_id(), new_id()
        await send(own, "execute_workflow", job_id=theirs, preset_name="Slow")
        await own.next("WORKFLOW_EXECUTION_UPDATE", job_id=theirs)
        await send(page, "execute_workflow", job_id=mine, preset_name="Slow", share_token=token)
        await page.next("WORKFLOW_EXECUTION_UPDATE", job_id=mine)
        for command in ("stop_workflow", "get_run", "subscribe_run", "execute_workflow"):
            await send(page, command, job_id=theirs, preset_name="Slow", share_token=token)
            told = await page.next("error", code="NOT_FOUND")
            assert told["job_id"] == theirs
        await send(page, "stop_workflow", job_id=mine, share_token=token)
        assert await final(page, mine) == "STOPPED"
        assert home.engine.runs.summary(theirs).status == "RUNNING"


async def test_an_editor_saves_this_workflow_and_learns_of_no_other(
    tmp_path: Path, stranger: WalletKey
) -> None:
    async with house(tmp_path) as home, gui(home.gateway, stranger) as page:
        token = (await home.link("Report", "view-edit-run"))["share_token"]
        changed = {"nodes": [{"id": "b", "module_id": "delay"}], "connections": []}
        fields = {"workflow_data": changed, "signature": sign_preset(stranger, changed)}
        await send(page, "save_preset", name="Report", share_token=token, **fields)
        listed = (await page.next("response_presets_list"))["payload"]["presets"]
        assert [item["name"] for item in listed] == ["Report"]
        assert (await home.engine.rooms.presets.load("Report")).workflow_data == changed
        refused = await send(page, "save_preset", name="Private", share_token=token, **fields)
        assert refused["code"] == "FORBIDDEN"


async def test_a_link_ends_at_once_and_never_opened_unsigned(tmp_path: Path, stranger: WalletKey) -> None:
    async with house(tmp_path) as home, gui(home.gateway, stranger) as page:
        unsigned = await home.link("Report", "view-run", sign=False)
        assert unsigned["needs_grant"] is True
        assert await run(page, "Report", share_token=unsigned["share_token"]) == "FAILED"
        made = await home.link("Report", "view-run")
        assert await run(page, "Report", share_token=made["share_token"]) == "SUCCEEDED"
        gone = await home.call(home.owner, "DELETE", f"/workflow-shares/{made['share_id']}")
        assert gone.json()["status"] == "success"
        assert await run(page, "Report", share_token=made["share_token"]) == "FAILED"


async def test_a_higher_epoch_that_the_owner_signed_ends_every_link(
    tmp_path: Path, stranger: WalletKey
) -> None:
    async with house(tmp_path) as home, gui(home.gateway, stranger) as page:
        made = await home.link("Report", "view-run")
        text = grant_text(Grant(home.engine_id, OTHER.address, Role.READER, 2, 4_000_000_000_000))
        grant = {"text": text, "signature": home.owner.sign_text(text)}
        body = {"user_id": OTHER.address, "role": "reader", "grant": grant}
        await home.call(home.owner, "POST", f"/engines/{home.engine_id}/shares", body)
        await home.until(lambda: home.engine.access.epoch == 2)
        await send(page, "execute_workflow", preset_name="Report", share_token=made["share_token"])
        assert "revoked" in (await page.next("error", code="FORBIDDEN"))["message"]
        await home.call(home.owner, "DELETE", f"/engines/{home.engine_id}/shares/{OTHER.address}")
        again = await home.link("Report", "view-run")
        assert "Epoch: 2" in again["grant_text"]
        assert await run(page, "Report", share_token=again["share_token"]) == "SUCCEEDED"


async def test_a_gateway_cannot_stretch_or_invent_a_link(tmp_path: Path, stranger: WalletKey) -> None:
    async with house(tmp_path) as home, gui(home.gateway, stranger) as page:
        for change in ("level", "preset", "signer"):
            made = await home.link("Report", "view")
            text = str(made["grant_text"])
            signature, values = home.owner.sign_text(text), {"level": "view-run"}
            if change == "preset":
                text, values = text.replace('"Report"', '"Private"'), {"preset": "Private"}
            else:
                text = text.replace("Level: view", "Level: view-run")
            if change == "signer":
                signature = stranger.sign_text(text)
            forge(home.gateway, made["share_id"], values | {"signed_text": text, "signature": signature})
            fields = {"name": "Private", "preset_name": "Report", "share_token": made["share_token"]}
            event = "load_preset" if change == "preset" else "execute_workflow"
            sent = await send(page, event, job_id=new_id(), **fields)
            assert sent == {"ok": True}, "the gateway passes it on"
            if change == "preset":
                answer = await page.next("response_load_preset")
                assert "signed by the engine's owner" in answer["payload"]["error"]
            else:
                assert (await page.next("error"))["code"] == "BAD_SIGNATURE"


def forge(gateway: Gateway, share_id: str, values: dict[str, str]) -> None:
    """Write into the gateway's table what a gateway that was taken over would."""
    assert gateway.app is not None
    with gateway.app._database.write() as connection:
        sets = ", ".join(f"{name} = ?" for name in values)
        connection.exec_driver_sql(
            f"UPDATE workflow_shares SET {sets} WHERE id = ?", (*values.values(), share_id)
        )
