"""What operators may do, and nobody else."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.clock import ManualClock
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine, in_process

ADMIN = WalletKey.from_hex("7" * 64)
SECRET = "a-secret-of-both-services"


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("operated")
    environ = {"GATEWAY_ADMINS": f" {ADMIN.address} ", "GATEWAY_SECRET_TOKEN": SECRET}
    with in_process(folder, **environ) as gateway:
        yield gateway


def test_only_operators_see_users(operated: Gateway, wallet: WalletKey) -> None:
    assert operated.call(wallet, "GET", "/admin/users").status_code == 403
    for _ in range(3):
        operated.register_engine(WalletKey.create()[0])
    page = operated.call(ADMIN, "GET", "/admin/users?limit=2").json()
    assert len(page["users"]) == 2
    assert page["total"] >= 3
    rest = operated.call(ADMIN, "GET", f"/admin/users?limit=200&after={page['next']}").json()
    listed = [user["address"] for user in page["users"] + rest["users"]]
    assert len(listed) == len(set(listed)) == page["total"]
    assert rest["next"] is None
    assert {user["engines"] for user in rest["users"] + page["users"]} <= {0, 1}
    assert operated.call(ADMIN, "GET", "/admin/users?limit=0").status_code == 400


async def test_a_component_is_switched_off_on_every_engine(operated: Gateway, wallet: WalletKey) -> None:
    engine_id, token = operated.register_engine(wallet)
    keys = {"X-API-Key": SECRET}
    own = {"X-Engine-Id": engine_id, "X-Engine-Token": token}
    path, listed = "/admin/disabled-components/http_fetch", "/api/v1/system/disabled-components"
    body = {"reason": "It leaks memory."}
    assert operated.call(wallet, "PUT", path, body).status_code == 403
    assert operated.call(wallet, "DELETE", path).status_code == 403
    assert operated.call(wallet, "GET", "/admin/disabled-components").status_code == 403
    async with engine(operated, engine_id, token, headers=keys) as link:
        assert operated.call(ADMIN, "PUT", path, body).status_code == 200
        assert await link.next("disabled_components_changed") == {}
        for headers in (keys, own):
            assert operated.send("GET", listed, headers=headers).json() == ["http_fetch"]
        [shown] = operated.call(ADMIN, "GET", "/admin/disabled-components").json()
        assert (shown["reason"], shown["by"]) == ("It leaks memory.", ADMIN.address)
        assert operated.call(ADMIN, "DELETE", path).status_code == 200
        assert await link.next("disabled_components_changed") == {}
    assert operated.call(ADMIN, "DELETE", path).status_code == 404
    assert operated.send("GET", listed, headers=keys).json() == []
    for headers in ({}, {"X-API-Key": "wrong"}, own | {"X-Engine-Token": "wrong"} | keys):
        assert operated.send("GET", listed, headers=headers).status_code == 401
    assert operated.call(ADMIN, "PUT", "/admin/disabled-components/a b", body).status_code in {400, 401}


def test_a_refused_operator_is_in_the_audit_log_once_a_minute(
    tmp_path: Path, clock: ManualClock, wallet: WalletKey
) -> None:
    with in_process(tmp_path, clock, GATEWAY_ADMINS=ADMIN.address) as gateway:
        for _ in range(3):
            assert gateway.call(wallet, "GET", "/admin/users").status_code == 403
        assert gateway.call(wallet, "GET", "/admin/plans").status_code == 403
        clock.advance(61)
        assert gateway.call(wallet, "GET", "/admin/users").status_code == 403
        for reader in (wallet, ADMIN):
            events = gateway.call(reader, "GET", "/audit").json()["events"]
            refused = [item["subject"] for item in events if item["action"] == "admin_refused"]
            assert refused == ["admin_users", "admin_plans", "admin_users"]
            assert {item["actor"] for item in events} == {wallet.address.lower()}


def test_operators_give_and_end_plans(operated: Gateway, wallet: WalletKey) -> None:
    path = f"/admin/users/{wallet.address}/plan"
    body = {"plan": "pro", "days": 10}
    assert operated.call(ADMIN, "PUT", path, body).status_code == 404
    operated.register_engine(wallet)
    assert operated.call(wallet, "PUT", path, body).status_code == 403
    given = operated.call(ADMIN, "PUT", path, body).json()
    assert given["plan"] == "pro"
    again = operated.call(ADMIN, "PUT", path, body).json()
    days = datetime.fromisoformat(again["expires_at"]) - datetime.fromisoformat(given["expires_at"])
    assert days == timedelta(days=10)
    assert operated.call(ADMIN, "PUT", path, {"plan": "team", "days": 1}).json()["later"].keys() == {"pro"}
    counts = {row["plan"]["id"]: row["users"] for row in operated.call(ADMIN, "GET", "/admin/plans").json()}
    assert counts == {"free": None, "pro": 0, "team": 1}
    assert operated.call(ADMIN, "PUT", path, {"plan": "team", "days": 0}).json()["plan"] == "pro"
    assert operated.call(ADMIN, "PUT", path, {"plan": "pro", "days": 0}).json()["plan"] == "free"
    for wrong, status in (({"plan": "free", "days": 1}, 400), ({"plan": "gold", "days": 1}, 404)):
        assert operated.call(ADMIN, "PUT", path, wrong).status_code == status
    events = operated.call(ADMIN, "GET", "/audit").json()["events"]
    assert [item["action"] for item in events if item["subject"] == wallet.address.lower()][:2] == [
        "plan_end",
        "plan_end",
    ]
