"""The internal API over real HTTP: what is open, what is guarded, what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from core_engine.http.server import InternalApi
from core_engine.http.status import EngineStatus
from core_engine.rest.router import RestApi

SECRET = "flork_sec_" + "ab" * 32
UNAUTHORIZED = {"error": "Unauthorized: API Key is missing or invalid."}


def status() -> EngineStatus:
    return EngineStatus(
        engine_id="engine-1",
        version="0.1.0",
        owner_pinned=True,
        owner="0x" + "ab" * 20,
        link="connected",
        busy=True,
        open_runs=3,
        connections=2,
        isolation="bubblewrap",
        uptime_seconds=12.5,
    )


def broken() -> EngineStatus:
    raise ValueError("a secret detail")


@asynccontextmanager
async def api(
    secret: str = SECRET, source=status, metrics_token: str = ""
) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    nobody: Any = None
    server = InternalApi(
        "127.0.0.1",
        0,
        secret=secret,
        status=source,
        rest=RestApi((), nobody, "write"),
        exposition=lambda: b"some 3.0\n",
        metrics_token=metrics_token,
    )
    await server.start()
    try:
        async with aiohttp.ClientSession() as http:
            yield http, f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop()


async def test_health_is_open_and_tells_no_secret() -> None:
    async with api() as (http, url), http.get(f"{url}/health") as answer:
        assert answer.status == 200
        assert await answer.json() == {"status": "ready"}


@pytest.mark.parametrize(
    "path", ["/metrics", "/api/v1/status", "/nowhere", "/health/", "/health/../api/v1/status"]
)
@pytest.mark.parametrize(
    "headers",
    [{}, {"X-API-Key": ""}, {"X-API-Key": SECRET[:-1]}, {"X-API-Key": "ünicode"}, {"X-Api-Token": SECRET}],
)
async def test_everything_else_wants_the_key(path: str, headers: dict[str, str]) -> None:
    async with api() as (http, url), http.get(f"{url}{path}", headers=headers) as answer:
        assert answer.status == 401
        assert await answer.json() == UNAUTHORIZED


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/status"])
@pytest.mark.parametrize("headers", [{}, {"X-API-Key": ""}, {"X-API-Key": "x"}])
async def test_without_a_secret_guarded_routes_are_closed(path: str, headers: dict[str, str]) -> None:
    async with api(secret="") as (http, url), http.get(f"{url}{path}", headers=headers) as answer:
        assert answer.status == 503
        assert "GATEWAY_SECRET_TOKEN" in (await answer.json())["error"]


async def test_status() -> None:
    async with (
        api() as (http, url),
        http.get(f"{url}/api/v1/status", headers={"X-API-Key": SECRET}) as answer,
    ):
        assert await answer.json() == {
            "status": "ready",
            "engine_id": "engine-1",
            "version": "0.1.0",
            "owner_pinned": True,
            "owner": "0x" + "ab" * 20,
            "link": "connected",
            "runs": {"busy": True, "open": 3},
            "connections": 2,
            "isolation": "bubblewrap",
            "uptime_seconds": 12.5,
        }


async def test_metrics_have_a_token_that_opens_nothing_else() -> None:
    token, right = "flork_metrics_1", {"Authorization": "Bearer flork_metrics_1"}
    async with api(metrics_token=token) as (http, url):
        for path, headers, code in (
            ("/metrics", right, 200),
            ("/metrics", {"Authorization": f"bearer {token}"}, 200),
            ("/metrics", {"X-API-Key": SECRET}, 200),
            ("/metrics", {"Authorization": f"Bearer {token}x"}, 401),
            ("/metrics", {"Authorization": f"Basic {token}"}, 401),
            ("/metrics", {"X-API-Key": token}, 401),
            ("/metrics", {}, 401),
            ("/api/v1/status", right, 401),
        ):
            async with http.get(f"{url}{path}", headers=headers) as answer:
                assert answer.status == code, (path, headers)
    async with (
        api(secret="", metrics_token=token) as (http, url),
        http.get(f"{url}/metrics", headers=right) as answer,
    ):
        assert answer.status == 200


async def test_metrics() -> None:
    async with api() as (http, url), http.get(f"{url}/metrics", headers={"X-API-Key": SECRET}) as answer:
        text = await answer.text()
        assert answer.content_type == "text/plain"
    assert text == "some 3.0\n"


@pytest.mark.parametrize(("method", "path", "code"), [("GET", "/nowhere", 404), ("POST", "/metrics", 405)])
async def test_wrong_paths_and_methods_answer_json(method: str, path: str, code: int) -> None:
    async with (
        api() as (http, url),
        http.request(method, f"{url}{path}", headers={"X-API-Key": SECRET}) as answer,
    ):
        assert answer.status == code
        assert (await answer.json())["error"]


async def test_our_own_mistakes_show_an_incident_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"X-API-Key": SECRET}
    async with api(source=broken) as (http, url), http.get(f"{url}/api/v1/status", headers=headers) as answer:
        assert answer.status == 500
        body = await answer.json()
    assert "secret detail" not in str(body)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.incident == body["details"]["incident"]
