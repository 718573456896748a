"""The engine's REST operations over real HTTP: who may ask for what, what is answered, what stays hidden."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import TypeAdapter

from core_engine.app import Engine
from core_engine.rest.localization import LANGUAGES, words_of
from shared.contract import catalog
from shared.contract.base import Role
from shared.contract.proxied import LIST_OF
from shared.contract.proxy import EngineOperation
from shared.ids import new_id
from shared.signing.keys import WalletKey
from shared.signing.presets import sign_preset
from tests.core_engine.engine import ADMIN, OWNER, READER, RUNNER, STRANGER, admit, chain, engine

SECRET = "flork_sec_" + "ab" * 32
OPERATIONS = [item for item in catalog.operations().values() if isinstance(item, EngineOperation)]
WALLETS = {Role.READER: READER, Role.RUNNER: RUNNER, Role.ADMIN: ADMIN, Role.OWNER: OWNER}


class Asker:
    """Asks an engine as its gateway would."""

    def __init__(self, http: aiohttp.ClientSession, running: Engine) -> None:
        self.http = http
        self.url = running.address.http
        self.running = running

    async def __call__(
        self, method: str, path: str, body: Any = None, *, of: WalletKey | None = OWNER, **headers: str
    ) -> tuple[int, Any]:
        given = {"X-API-Key": SECRET} | ({"X-Flowork-User-ID": of.address} if of else {}) | headers
        content = None if body is None else json.dumps(body)
        async with self.http.request(
            method, f"{self.url}/api/v1{path}", data=content, headers=given
        ) as answer:
            raw = await answer.read()
            return answer.status, json.loads(
                raw
            ) if raw and answer.content_type == "application/json" else raw


@asynccontextmanager
async def asker(folder: Path, access: str = "write") -> AsyncIterator[Asker]:
    environment = {"GATEWAY_SECRET_TOKEN": SECRET, "ENGINE_GATEWAY_ACCESS": access, "GATEWAY_URL": ""}
    async with engine(folder, **environment) as running, aiohttp.ClientSession() as http:
        yield Asker(http, running)


async def save(ask: Asker, name: str, workflow: dict[str, Any]) -> None:
    body = {"name": name, "workflow_data": workflow, "signature": sign_preset(OWNER, workflow)}
    assert (await ask("POST", "/presets", body))[0] == 201


async def ended(ask: Asker, job_id: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            details = (await ask("GET", f"/workflow/status/{job_id}"))[1]
            if details["run"]["status"] != "RUNNING":
                return details
            await asyncio.sleep(0.01)


def filled(operation: EngineOperation) -> str:
    return operation.path.replace("{kind}", "modules").replace("{", "").replace("}", "")


def test_every_operation_of_the_contract_is_answered_and_no_other(tmp_path: Path) -> None:
    async def found() -> list[str]:
        async with asker(tmp_path) as ask:
            return sorted(item.name for item in ask.running.rest.operations)

    assert asyncio.run(found()) == sorted(item.name for item in OPERATIONS)


async def test_each_operation_asks_for_its_role_and_the_gateways_licence(tmp_path: Path) -> None:
    async with asker(tmp_path, "read") as ask:
        await admit(ask.running)
        for operation in OPERATIONS:
            call = (operation.method, filled(operation), {})
            if operation.role is None:
                assert (await ask(*call, of=None))[0] in {200, 404}
                continue
            assert (await ask(*call, of=None))[0] == (403 if operation.writes else 401), operation.name
            for role, wallet in WALLETS.items():
                status, body = await ask(*call, of=wallet)
                allowed = role >= operation.role and not operation.writes
                assert (status == 403) is not allowed, (operation.name, role, body)
            assert (await ask(*call, of=STRANGER))[0] == 403
    async with asker(tmp_path, "off") as ask:
        assert (await ask("GET", "/modules"))[0] == 403
        assert (await ask("GET", "/news", of=None))[0] == 200


async def test_components_carry_icons_and_entity_tags(tmp_path: Path) -> None:
    async with asker(tmp_path) as ask:
        for kind, operation in LIST_OF.items():
            status, listed = await ask("GET", f"/{kind}")
            assert status == 200
            TypeAdapter(operation.response).validate_json(json.dumps(listed))
        status, one = await ask("GET", "/components/modules/if_condition")
        assert (status, one["id"]) == (200, "if_condition")
        assert (await ask("GET", "/components/modules/nothing"))[0] == 404
        headers = {"X-API-Key": SECRET}
        icon = f"{ask.url}/api/v1/components/modules/if_condition/icon"
        async with ask.http.get(icon, headers=headers) as first:
            assert first.content_type == "image/svg+xml"
            tag = first.headers["ETag"]
        async with ask.http.get(icon, headers=headers | {"If-None-Match": tag}) as again:
            assert (again.status, await again.read()) == (304, b"")
        status, plain = await ask("GET", "/components/modules/..%2F..%2Fetc/icon", of=None)
        assert status == 200
        assert plain.startswith(b"<svg"), "an unknown component has the plain icon"


async def test_presets_are_saved_read_run_and_deleted(tmp_path: Path) -> None:
    async with asker(tmp_path) as ask:
        await save(ask, "Daily report", chain(2))
        status, presets = await ask("GET", "/presets")
        assert [(status, item["name"], item["version"]) for item in presets] == [(200, "Daily report", 1)]
        assert await ask("GET", "/presets/Daily%20report") == (200, chain(2))
        assert await ask("GET", "/presets/nothing/exists") == (200, {"exists": False})
        assert (await ask("GET", "/presets/Daily%20report/versions"))[1][0]["version"] == "v1"
        assert await ask("GET", "/presets/Daily%20report/versions/v1") == (200, chain(2))
        assert (await ask("GET", "/presets/Daily%20report/versions/vx"))[0] == 404
        forged = {"name": "x", "workflow_data": chain(1), "signature": sign_preset(STRANGER, chain(1))}
        assert (await ask("POST", "/presets", forged))[0] == 401

        job_id = new_id()
        for _ in range(2):
            status, started = await ask("POST", "/workflow/execute/Daily%20report", {"job_id": job_id})
            assert (status, started["status"], started["job_id"]) == (202, "accepted", job_id)
        details = await ended(ask, job_id)
        assert details["run"]["status"] == "SUCCEEDED"
        edge = chain(2)["connections"][0]["id"]
        assert (await ask("GET", f"/workflow/history/{job_id}/{edge}"))[1]["connection_id"] == edge
        assert (await ask("POST", f"/workflow/stop/{job_id}", {}))[1]["status_data"]["status"] == "SUCCEEDED"
        assert (await ask("POST", f"/workflow/pause/{job_id}", {}))[0] == 409
        await admit(ask.running)
        assert (await ask("GET", f"/workflow/status/{job_id}", of=READER))[0] == 404, "somebody else's run"
        stats = (await ask("GET", "/engine/live-stats"))[1]
        assert stats["execution_stats_24h"] == {"success": 1, "failed": 0}
        assert stats["top_slowest_presets"][0]["name"] == "Daily report"
        assert stats["system_overview"]["presets"] == 1
        assert (await ask("DELETE", "/presets/Daily%20report"))[0] == 204
        assert (await ask("GET", "/presets/Daily%20report"))[0] == 404


async def test_secret_values_never_leave_and_an_empty_one_keeps_them(tmp_path: Path) -> None:
    async with asker(tmp_path) as ask:
        await ask("PUT", "/variables/API_KEY", {"value": "very secret", "is_secret": True})
        assert (await ask("PUT", "/variables/API_KEY", {"is_secret": True}))[0] == 400, "value must be there"
        assert (await ask("PUT", "/variables/lower", {"value": 1}))[0] == 400
        assert (await ask("PATCH", "/variables/API_KEY/state", {"enabled": False}))[0] == 200
        status, variable = await ask("GET", "/variables/API_KEY")
        assert (status, variable["value"], variable["is_enabled"]) == (200, "", False)
        await ask("PATCH", "/variables/API_KEY/state", {"enabled": True})
        found = ask.running.rooms.variables.get("API_KEY", OWNER.address.lower())
        assert found is not None
        assert found.value == "very secret"
        assert (await ask("DELETE", "/variables/API_KEY"))[0] == 204
        assert (await ask("GET", "/variables"))[1] == []


async def test_preferences_merge_and_files_stay_inside_the_roots(tmp_path: Path) -> None:
    async with asker(tmp_path) as ask:
        assert (await ask("PATCH", "/settings", {"language": "id", "mine": {"a": 1}}))[1]["language"] == "id"
        assert (await ask("GET", "/settings"))[1]["mine"] == {"a": 1}
        assert (await ask("PATCH", "/settings", {"language": 7}))[0] == 400
        assert (await ask("PATCH", "/settings", [1]))[0] == 400
        (drive,) = (await ask("GET", "/filesystem/drives"))[1]
        assert (await ask("GET", f"/filesystem/list?path={drive['path']}"))[0] == 200
        assert (await ask("GET", "/filesystem/list?path=/etc"))[0] == 403
        assert (await ask("GET", "/filesystem/list"))[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("DELETE", "/modules", 405),
        ("POST", "/presets", 400),
        ("GET", "/localization/xx", 404),
    ],
)
async def test_what_is_not_offered_says_so(method: str, path: str, status: int, tmp_path: Path) -> None:
    async with asker(tmp_path) as ask:
        answer = await ask(method, path)
        assert answer[0] == status
        assert set(answer[1]) >= {"error", "code"}


def test_all_dictionaries_have_the_same_words() -> None:
    keys = words_of("en").keys()
    for language in LANGUAGES:
        assert words_of(language).keys() == keys
        assert all(words_of(language).values())
