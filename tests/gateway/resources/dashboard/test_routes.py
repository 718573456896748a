"""The dashboard's summary, with and without an engine."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from shared.contract.dashboard import empty_stats
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine


def test_without_an_engine_there_are_zeroes(live: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    live.register_engine(wallet)
    theirs, _ = live.register_engine(stranger)
    live.call(stranger, "POST", f"/engines/{theirs}/shares", {"user_id": wallet.address})
    answer = live.call(wallet, "GET", "/dashboard/summary")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["total_engines"], body["total_shared_with_me"]) == (1, 1)
    assert body["system_overview"]["status"] == "error"
    assert body["execution_stats_24h"] == {"success": 0, "failed": 0}


@pytest.mark.parametrize("fit", [True, False])
async def test_the_engines_figures_are_passed_on_if_they_are_any(
    local: Gateway, wallet: WalletKey, fit: bool
) -> None:
    engine_id, token = local.register_engine(wallet)
    stats = empty_stats().model_copy(update={"recent_activity": ["Report: succeeded"]})
    overview = stats.system_overview.model_copy(update={"status": "ok"})
    body = stats.model_copy(update={"system_overview": overview}).model_dump_json() if fit else '{"a": 1}'

    async def on_request(data: dict[str, Any]) -> dict[str, Any]:
        assert (data["path"], data["user"]) == ("/api/v1/engine/live-stats", wallet.address.lower())
        return {"status": 200, "body": base64.b64encode(body.encode()).decode()}

    async with engine(local, engine_id, token) as link:
        link.client.on("engine_request", on_request, namespace="/engine-socket")
        answer = await asyncio.to_thread(local.call, wallet, "GET", "/dashboard/summary")
    shown = answer.json()
    assert shown["system_overview"]["status"] == ("ok" if fit else "error")
    assert shown["recent_activity"] == (["Report: succeeded"] if fit else [])
    assert shown["total_engines"] == 1
