"""Limits of plans: named when they are reached, lifted by a payment, absent without billing."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.billing.limits import DAY_MS, count
from shared.clock import ManualClock, iso
from shared.errors import FloworkError
from shared.signing.keys import WalletKey
from tests.gateway.billing.conftest import Chain, Shop, key_of, plans_file
from tests.gateway.resources.workflow_shares.test_routes import PATH, call, shared
from tests.gateway.support import Gateway, engine, gui, in_process


def test_the_limit_on_engines_is_named_and_lifted_by_paying(shop: Shop) -> None:
    shop.gateway.register_engine(shop.wallet)
    refused = shop.gateway.call(shop.wallet, "POST", "/user/engines", {"name": "second"})
    assert refused.status_code == 402
    body = refused.json()
    assert body["code"] == "PAYMENT_REQUIRED"
    assert body["details"] == {"limit": "engines", "plan": "free", "allowed": 1, "used": 1}
    assert "allows 1 engines" in body["error"]
    assert "flowork billing checkout pro" in body["error"]
    assert shop.settle(shop.chain.pay(shop.customer, shop.quote()))["outcome"] == "ok"
    shop.gateway.register_engine(shop.wallet)
    assert shop.gateway.call(shop.wallet, "POST", "/user/engines", {"name": "third"}).status_code == 402


def test_without_billing_nobody_is_limited(tmp_path: Path, wallet: WalletKey) -> None:
    with in_process(tmp_path, GATEWAY_PLANS=str(plans_file(tmp_path))) as gateway:
        for _ in range(3):
            gateway.register_engine(wallet)
        shown = gateway.send("GET", "/api/v1/billing/plans").json()
        assert shown["enforced"] is False
        assert shown["chains"] == []
        body = {"plan": "pro", "months": 1, "chain_id": 1, "asset": "ETH"}
        assert gateway.call(wallet, "POST", "/billing/checkout", body).status_code == 409
        body = {"tx_hash": "0x" + "ab" * 32}
        assert gateway.call(wallet, "POST", "/billing/payments", body).status_code == 409


async def test_the_days_messages_are_limited(tmp_path: Path, wallet: WalletKey) -> None:
    plans = plans_file(tmp_path, relay_messages_per_day=2)
    with in_process(tmp_path, GATEWAY_BILLING="true", GATEWAY_PLANS=str(plans)) as gateway:
        await _use_up(gateway, wallet)
        usage = gateway.call(wallet, "GET", "/billing/usage?days=2").json()
    assert [day["relay_messages"] for day in usage["days"]] == [0, 2]
    assert [day["runs_started"] for day in usage["days"]] == [0, 1]
    assert usage["used"]["relay_messages_per_day"] == 2
    assert usage["limits"]["relay_messages_per_day"] == 2


async def _use_up(gateway: Gateway, wallet: WalletKey) -> None:
    engine_id, token = gateway.register_engine(wallet)
    async with engine(gateway, engine_id, token) as link, gui(gateway, wallet) as page:
        link.client.on("relay_command", lambda _data: {"ok": True}, namespace="/engine-socket")
        start = {"v": 2, "payload": {"target_engine_id": engine_id, "job_id": "one", "workflow_data": {}}}
        assert (await page.call("execute_workflow", start))["ok"] is True
        assert (await page.call("request_presets_list", start))["ok"] is True
        refused = await page.call("execute_workflow", start)
        assert refused["ok"] is False
        assert refused["code"] == "RATE_LIMITED"
        assert "allows 2 messages" in refused["error"]
        assert "00:00 UTC" in refused["error"]


def test_plans_and_chains_are_public_without_the_node(shop: Shop) -> None:
    shown = shop.gateway.send("GET", "/api/v1/billing/plans")
    assert shown.json()["enforced"] is True
    assert [plan["id"] for plan in shown.json()["plans"]] == ["free", "pro", "team"]
    assert shown.json()["plans"][2]["prices"] == {"ETH": "0.03", "USDX": "45.5"}
    assert shown.json()["chains"][0]["recipient"] == shop.recipient
    assert shop.chain.node.url not in shown.text


def test_what_a_plan_does_not_limit(shop: Shop, chain: Chain) -> None:
    address = key_of(chain.node.accounts[1]).address.lower()
    with shop.billing() as billing:
        with billing.database.read() as connection:
            assert count(connection, address, "shares") == 0
        billing.limits.check(address, "shares", used=10**6)
        with pytest.raises(FloworkError, match="allows 1 engines"):
            billing.limits.check(address, "engines", used=1)
        assert billing.limits.link_end(address, 0, None) is None
        assert billing.limits.link_end(address, 0, 10**12) == 10**12


async def test_share_links_end_with_the_retention_of_the_plan(tmp_path: Path, wallet: WalletKey) -> None:
    plans, clock = plans_file(tmp_path, share_retention_days=30), ManualClock()
    environ = {"GATEWAY_BILLING": "true", "GATEWAY_PLANS": str(plans), "GATEWAY_JOBS_SECONDS": "3600"}
    with in_process(tmp_path, clock, **environ) as gateway:
        async with shared(gateway, wallet):
            made = await call(gateway, wallet, "POST", PATH, {})
            assert made.json()["expires_at"] == iso(clock.now_ms() + 30 * DAY_MS)
            assert f"Expires: {made.json()['expires_at']}" in made.json()["grant_text"]
            sooner = iso(clock.now_ms() + DAY_MS)
            kept = await call(gateway, wallet, "POST", PATH, {"expires_at": sooner})
            assert kept.json()["expires_at"] == sooner
            later = {"expires_at": iso(clock.now_ms() + 31 * DAY_MS)}
            refused = await call(gateway, wallet, "POST", PATH, later)
            assert (refused.status_code, refused.json()["code"]) == (402, "PAYMENT_REQUIRED")
            details = {"limit": "share_retention_days", "plan": "free", "allowed": 30}
            assert refused.json()["details"] == details
            assert "flowork billing checkout pro" in refused.json()["error"]
            clock.advance(30 * 86_400)
            token = made.json()["share_token"]
            assert gateway.send("GET", f"/api/v1/workflow-shares/resolve/{token}").status_code == 404


def test_the_profile_names_the_plan_and_its_end(shop: Shop) -> None:
    def tier() -> tuple[str, str | None]:
        profile = shop.gateway.call(shop.wallet, "GET", "/auth/profile").json()
        return profile["tier"], profile["license_expires_at"]

    assert tier() == ("free", None)
    assert shop.settle(shop.chain.pay(shop.customer, shop.quote()))["outcome"] == "ok"
    assert tier() == ("pro", shop.expires())
