"""Accounts over HTTP."""

from __future__ import annotations

from shared.contract.account import PERMISSIONS
from shared.signing.keys import WalletKey
from tests.gateway.realtime.refusals import refused
from tests.gateway.support import Gateway, gui


def test_an_unknown_address_is_registered(live: Gateway, wallet: WalletKey) -> None:
    for answer in (
        live.documented(wallet, "GET", "/auth/profile"),
        live.call(wallet, "GET", "/auth/profile"),
    ):
        assert answer.status_code == 200
        body = answer.json()
        assert body == {
            "user_id": wallet.address,
            "email": None,
            "username": f"{wallet.address[:6]}…{wallet.address[-4:]}",
            "public_address": wallet.address,
            "tier": "architect",
            "permissions": list(PERMISSIONS),
            "license_expires_at": None,
        }


def test_the_fourth_header_is_not_needed(local: Gateway, wallet: WalletKey) -> None:
    message = f"flowork_api_auth|{wallet.address}|{local.now() // 1000}"
    answer = local.send("GET", "/api/v1/auth/profile", headers=local.socket_headers(wallet, message))
    assert answer.status_code == 200


def test_there_are_no_passwords(live: Gateway) -> None:
    for path in ("register", "login"):
        answer = live.send("POST", f"/api/v1/auth/{path}", b'{"username": "x", "password": "y"}')
        assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")


async def test_logout_ends_sockets_and_sessions(
    live: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    auth = live.gui_auth(wallet)
    async with gui(live, wallet, auth=auth) as page, gui(live, stranger) as other:
        assert live.call(wallet, "POST", "/auth/logout").status_code == 200
        await page.wait_closed(1.0)
        assert not other.closed.is_set()
    again = await refused(live, "/gui-socket", auth)
    assert again["data"]["code"] == "STALE"
    async with gui(live, wallet, auth=live.gui_auth(wallet, live.now() + 1000)) as page:
        assert await page.next("initial_engine_statuses") == []
