"""How an installation without a token gets one."""

from __future__ import annotations

import pytest

from shared.clock import ManualClock
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine, in_process

SECRET = "a-secret-of-both-services"
REQUEST = "request-0123456789abcdef"


@pytest.fixture
def guarded(tmp_path, clock: ManualClock):
    with in_process(tmp_path, clock, GATEWAY_SECRET_TOKEN=SECRET) as gateway:
        yield gateway


def fetch(gateway: Gateway, request_id: str = REQUEST, key: str = SECRET):
    return gateway.send("GET", f"/api/v1/engine/claim-token?req_id={request_id}", headers={"X-API-Key": key})


async def test_a_token_is_claimed_once(guarded: Gateway, wallet: WalletKey) -> None:
    engine_id, old = guarded.register_engine(wallet)
    assert fetch(guarded).status_code == 404
    body = {"request_id": REQUEST, "engine_id": engine_id}
    allowed = guarded.call(wallet, "POST", "/user/engines/select-for-auth", body)
    assert (allowed.status_code, allowed.json()["status"]) == (200, "success")
    assert guarded.call(wallet, "POST", "/user/engines/select-for-auth", body).status_code == 409
    async with engine(guarded, engine_id, old, ready=False, headers={"X-API-Key": SECRET}) as link:
        claimed = fetch(guarded)
        assert claimed.status_code == 200
        await link.wait_closed()
    token = claimed.json()["token"]
    assert token != old
    headers = {"X-Engine-Id": engine_id, "X-Engine-Token": token}
    assert guarded.send("GET", "/api/v1/engine/get-engine-auth-info", headers=headers).status_code == 200
    assert fetch(guarded).status_code == 404, "once"


def test_a_request_is_allowed_for_a_while(guarded: Gateway, wallet: WalletKey, clock: ManualClock) -> None:
    engine_id, _ = guarded.register_engine(wallet)
    body = {"request_id": REQUEST, "engine_id": engine_id}
    guarded.call(wallet, "POST", "/user/engines/select-for-auth", body)
    clock.advance(601)
    assert fetch(guarded).status_code == 404


def test_only_the_owner_allows_and_only_a_service_fetches(
    guarded: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    engine_id, _ = guarded.register_engine(wallet)
    body = {"request_id": REQUEST, "engine_id": engine_id}
    assert guarded.call(stranger, "POST", "/user/engines/select-for-auth", body).status_code == 404
    assert guarded.call(wallet, "POST", "/user/engines/select-for-auth", body).status_code == 200
    assert fetch(guarded, key="wrong").status_code == 401
    assert fetch(guarded, request_id="short").status_code == 400
    assert fetch(guarded).status_code == 200
