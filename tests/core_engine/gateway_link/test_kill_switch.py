"""Components that a gateway's operators switched off: kept, applied, and refused with a clear reason."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core_engine.gateway_link.kill_switch import KEY, KillSwitch
from core_engine.storage import EngineStore
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import WalletKey
from tests.core_engine.engine import engine, talker
from tests.gateway.support import Gateway, in_process

ADMIN = WalletKey.from_hex("7" * 64)
WORKFLOW = {"nodes": [{"id": "a", "module_id": "delay", "config_values": {"seconds": 0}}], "connections": []}


async def test_the_list_is_kept_for_times_without_a_gateway(tmp_path: Path) -> None:
    applied: list[frozenset[str]] = []
    store = EngineStore.open(tmp_path)
    try:
        switch = KillSwitch(store, applied.append)
        switch.load()
        await switch.replace(["b", "a"])
        await switch.replace(["a", "b"])
        KillSwitch(store, applied.append).load()
        assert applied == [frozenset(), frozenset("ab"), frozenset("ab")]
        await store.put(KEY, b"damaged")
        KillSwitch(store, applied.append).load()
        assert applied[-1] == frozenset()
    finally:
        store.close()


@pytest.mark.parametrize("listed", [None, {}, "delay", [1], ["x" * 101], ["x"] * 1001])
async def test_a_malformed_list_changes_nothing(tmp_path: Path, listed: Any) -> None:
    applied: list[frozenset[str]] = []
    store = EngineStore.open(tmp_path)
    try:
        with pytest.raises(FloworkError) as refused:
            await KillSwitch(store, applied.append).replace(listed)
    finally:
        store.close()
    assert refused.value.code is ErrorCode.INVALID_REQUEST
    assert applied == []


async def test_an_operator_stops_a_component_on_a_running_engine(tmp_path: Path) -> None:
    owner = WalletKey.create()[0]
    with in_process(tmp_path / "gateway", GATEWAY_ADMINS=ADMIN.address) as gateway:
        engine_id, token = await asyncio.to_thread(gateway.register_engine, owner)
        link = {"GATEWAY_URL": gateway.url, "FLOWORK_ENGINE_ID": engine_id, "FLOWORK_ENGINE_TOKEN": token}
        settings = link | {"FLOWORK_OWNER_ADDRESS": owner.address}
        async with engine(tmp_path / "engine", **settings) as running:
            component = running.registry.find("delay")
            assert component is not None

            async def switch(method: str) -> None:
                await asyncio.to_thread(order, gateway, method)
                async with asyncio.timeout(30):
                    while (component.refusal is not None) != (method == "PUT"):  # noqa: ASYNC110 - it comes over the link
                        await asyncio.sleep(0.02)

            async with asyncio.timeout(30):
                while gateway.engine(owner, engine_id)["status"] != "online":  # noqa: ASYNC110 - it comes over the link
                    await asyncio.sleep(0.02)
            async with talker(running, owner, f"?engineId={engine_id}") as client:
                client.engine_id = engine_id

                async def run() -> str:
                    answer = await client.ask("execute_workflow", workflow_data=WORKFLOW)
                    return str((await client.finish(answer["job_id"]))["status_data"]["status"])

                assert await run() == "SUCCEEDED"
                await switch("PUT")
                assert await run() == "FAILED"
                said = [frame["error"] for frame in client.frames if frame.get("error")]
                assert any("switched off by the operators" in text for text in said)
                await switch("DELETE")
                assert await run() == "SUCCEEDED"


def order(gateway: Gateway, method: str) -> None:
    body = {"reason": "It leaks memory."} if method == "PUT" else None
    answer = gateway.call(ADMIN, method, "/admin/disabled-components/delay", body)
    assert answer.status_code == 200, answer.text
