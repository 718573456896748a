"""The catch-all way to an engine: declared operations only, and nothing that proves who asks."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine


async def test_a_declared_operation_is_passed_on(local: Gateway, wallet: WalletKey) -> None:
    engine_id, token = local.register_engine(wallet)
    asked: list[dict[str, Any]] = []

    async def on_request(data: dict[str, Any]) -> dict[str, Any]:
        asked.append(data)
        return {"status": 200, "body": base64.b64encode(b'{"a": 1}').decode()}

    async with engine(local, engine_id, token) as link:
        link.client.on("engine_request", on_request, namespace="/engine-socket")
        for path in ("/proxy/presets/My%20report?deep=1", "/proxy/api/v1/presets/My%20report?deep=1"):
            answer = await asyncio.to_thread(local.call, wallet, "GET", path)
            assert (answer.status_code, answer.json()) == (200, {"a": 1})
        body = {"value": 1}
        await asyncio.to_thread(local.call, wallet, "PUT", "/proxy/variables/x", body)
    assert [item["path"] for item in asked] == ["/api/v1/presets/My%20report"] * 2 + ["/api/v1/variables/x"]
    assert asked[0]["query"] == {"deep": "1"}
    assert asked[0]["user"] == wallet.address.lower()
    assert set(asked[2]["headers"]) == {"content-type"}
    assert base64.b64decode(asked[2]["body"]) == b'{"value": 1}'


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/proxy/execution/run_module"),
        ("POST", "/proxy/execution/run_module"),
        ("DELETE", "/proxy/presets"),
        ("GET", "/proxy/proxy/presets"),
        ("GET", "/proxy/presets/a/b/c/d"),
        ("GET", "/proxy/presets/%2e%2e"),
        ("GET", "/proxy/"),
    ],
)
def test_anything_else_does_not_exist(local: Gateway, wallet: WalletKey, method: str, path: str) -> None:
    answer = local.call(wallet, method, path)
    assert answer.status_code in {404, 405}


def test_nobody_is_passed_on_without_proof(local: Gateway) -> None:
    assert local.send("GET", "/api/v1/proxy/presets").status_code == 401
