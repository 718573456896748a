"""The link against the gateway itself, as a process: presence, claim, refusal, restart."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from core_engine.app import Engine
from core_engine.gateway_link.link import LinkState
from shared.ids import new_claim_code, new_engine_token
from shared.signing.claims import claim_proof
from shared.signing.presets import sign_preset
from tests.core_engine.engine import ENGINE_ID, OTHER, engine, talker
from tests.support.platform import Platform


@asynccontextmanager
async def gateway(folder: Path, **environment: str) -> AsyncIterator[Platform]:
    await asyncio.to_thread(folder.mkdir)
    platform = Platform(folder, dict(environment))
    try:
        await asyncio.to_thread(platform.start_gateway)
        yield platform
    finally:
        await asyncio.to_thread(platform.close)


@asynccontextmanager
async def linked(platform: Platform, folder: Path, **environment: str) -> AsyncIterator[Engine]:
    base = {
        "GATEWAY_URL": platform.gateway_url,
        "GATEWAY_SECRET_TOKEN": platform.secret,
        "FLOWORK_ENGINE_ID": platform.engine_id,
        "FLOWORK_ENGINE_TOKEN": platform.token,
        "FLOWORK_OWNER_ADDRESS": "",
        "ENGINE_VITALS_SECONDS": "0.3",
        "ENGINE_RECONNECT_MAX_SECONDS": "0.5",
    }
    async with engine(folder, **(base | environment)) as running:
        yield running


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - another process decides
            await asyncio.sleep(0.05)


async def test_presence_and_a_restart_of_the_gateway(tmp_path: Path) -> None:
    async with gateway(tmp_path / "gateway") as platform:
        await asyncio.to_thread(platform.register_engine)
        async with linked(platform, tmp_path / "engine") as running:
            await until(lambda: platform.engine_state() == "online")
            assert running.access.owner == platform.owner.address.lower(), "pinned at first contact"
            query = f"?engineId={platform.engine_id}"
            async with talker(running, platform.owner, query) as client:
                client.engine_id = platform.engine_id
                assert (await client.ask("list_runs"))["type"] == "runs_list_response"
                await asyncio.to_thread(platform.services[0].kill)
                await until(lambda: running.link.state is LinkState.UNREACHABLE)
                assert (await client.ask("list_runs"))["type"] == "runs_list_response", (
                    "works without a gateway"
                )
                await asyncio.to_thread(platform.start_gateway)
                await until(lambda: platform.engine_state() == "online")
        await until(lambda: platform.engine_state() == "offline")


async def test_the_first_identity_claims_the_bundled_engine_once(tmp_path: Path) -> None:
    code, token = new_claim_code(), new_engine_token()
    bundled = {"GATEWAY_BUNDLED_ENGINE_ID": ENGINE_ID, "GATEWAY_BUNDLED_ENGINE_TOKEN": token}
    async with gateway(tmp_path / "gateway", **bundled) as platform:
        platform.engine_id, platform.token = ENGINE_ID, token
        async with linked(platform, tmp_path / "engine", FLOWORK_CLAIM_CODE=code) as running:
            await until(lambda: running.link.state is LinkState.CONNECTED)

            async def claim(shown: str) -> int:
                body = {"engine_id": ENGINE_ID, "proof": shown}
                answer = await asyncio.to_thread(platform.call, "POST", "/user/engines/claim", body)
                return answer.status_code

            good = claim_proof(code, platform.owner.address, ENGINE_ID)
            assert await claim(claim_proof("guess", platform.owner.address, ENGINE_ID)) == 403
            assert running.access.owner is None
            assert await claim(good) == 200
            assert running.access.owner == platform.owner.address.lower()
            owner, platform.owner = platform.owner, OTHER
            assert await claim(claim_proof(code, OTHER.address, ENGINE_ID)) in {403, 404, 409}
            assert running.access.owner == owner.address.lower()


async def test_a_wrong_token_is_refused_logged_and_does_not_disturb_the_engine(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway(tmp_path / "gateway") as platform:
        await asyncio.to_thread(platform.register_engine)
        owner = platform.owner.address
        wrong = {"FLOWORK_ENGINE_TOKEN": new_engine_token(), "FLOWORK_OWNER_ADDRESS": owner}
        with caplog.at_level(logging.INFO):
            async with linked(platform, tmp_path / "engine", **wrong) as running:
                await until(lambda: running.link.state is LinkState.AUTH_FAILED)
                async with talker(running, platform.owner, f"?engineId={platform.engine_id}") as client:
                    client.engine_id = platform.engine_id
                    assert (await client.ask("list_runs"))["type"] == "runs_list_response"
        assert "auth_failed" in caplog.text
        assert wrong["FLOWORK_ENGINE_TOKEN"] not in caplog.text
        assert await asyncio.to_thread(platform.engine_state) == "offline"


async def test_rest_requests_reach_the_engine_over_the_link_and_long_answers_come_whole(
    tmp_path: Path,
) -> None:
    async with gateway(tmp_path / "gateway") as platform:
        await asyncio.to_thread(platform.register_engine)
        async with linked(platform, tmp_path / "engine", ENGINE_GATEWAY_ACCESS="write") as running:
            await until(lambda: platform.engine_state() == "online")

            async def call(method: str, path: str, body: Any = None) -> httpx.Response:
                return await asyncio.to_thread(platform.call, method, path, body)

            assert {item["id"] for item in (await call("GET", "/modules")).json()} >= {"if_condition"}
            text = "é" * 100_000
            saved = await call("PATCH", "/settings", {"mine": text, "other": text})
            assert (saved.status_code, saved.json().get("code")) == (413, "TOO_LARGE")
            half = "é" * 60_000
            assert (await call("PATCH", "/settings", {"mine": half})).status_code == 200
            workflow = {
                "nodes": [{"id": "n", "module_id": "delay", "name": "é" * 200}] * 3,
                "notes": "x" * 700_000,
            }
            body = {
                "name": "Long",
                "workflow_data": workflow,
                "signature": sign_preset(platform.owner, workflow),
            }
            assert (await call("POST", "/presets", body)).status_code == 201
            loaded = await call("GET", "/presets/Long")
            assert len(loaded.content) > 2 * 256 * 1024, "more than two parts"
            assert loaded.json() == workflow
            assert (await call("DELETE", "/presets/Long")).status_code == 204
            refused = await call("GET", "/presets/Long")
            assert (refused.status_code, refused.json()["code"]) == (404, "NOT_FOUND")
            icon = f"{platform.gateway_url}/api/v1/components/modules/delay/icon"
            shown = await asyncio.to_thread(httpx.get, icon, params={"engine_id": platform.engine_id})
            assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/svg+xml")
            tag = {"If-None-Match": shown.headers["ETag"]}
            again = await asyncio.to_thread(
                httpx.get, icon, params={"engine_id": platform.engine_id}, headers=tag
            )
            assert again.status_code == 304
            assert running.access.owner == platform.owner.address.lower()
        await until(lambda: platform.engine_state() == "offline")
        gone = await asyncio.to_thread(platform.call, "GET", "/modules", None)
        assert (gone.status_code, gone.json()["code"]) == (503, "ENGINE_UNAVAILABLE")
