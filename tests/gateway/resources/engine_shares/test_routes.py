"""Sharing engines over HTTP, in both spellings; what the engine makes of it is tried in `tests/e2e/test_sharing.py`."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contract.base import Role
from shared.signing.grants import Grant, grant_text
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine, gui

FAR = 4_000_000_000_000


def word(signer: WalletKey, engine_id: str, guest: WalletKey, **fields: Any) -> dict[str, str]:
    given = {"role": Role.RUNNER, "epoch": 3, "exp": FAR} | fields
    text = grant_text(Grant(engine_id, guest.address, **given))
    return {"text": text, "signature": signer.sign_text(text)}


@pytest.mark.parametrize(
    ("add", "listed", "member"),
    [
        ("/user/engines/{}/share", "/user/engines/{}/shares", "user_id"),
        ("/engines/{}/shares", "/engines/{}/shares", "share_with_identifier"),
    ],
)
def test_both_spellings_share_an_engine(
    live: Gateway, wallet: WalletKey, stranger: WalletKey, add: str, listed: str, member: str
) -> None:
    engine_id, _ = live.register_engine(wallet, "Küche")
    made = live.call(wallet, "POST", add.format(engine_id), {member: stranger.address, "role": "runner"})
    assert made.status_code == 201, made.text
    assert made.json()["share_id"] == stranger.address
    assert made.json()["needs_grant"] is True
    assert f"Guest: {stranger.address}\nRole: runner" in made.json()["grant_text"]
    [share] = live.call(wallet, "GET", listed.format(engine_id)).json()
    assert share.pop("shared_at").endswith("Z")
    assert share == {
        "share_id": stranger.address, "user_id": stranger.address, "public_address": stranger.address,
        "engine_id": engine_id, "username": None, "email": None, "role": "runner", "needs_grant": True,
    }  # fmt: skip
    [seen] = live.call(stranger, "GET", "/user/shared-engines").json()
    owner = {"user_id": wallet.address, "username": None, "email": None}
    assert (seen["id"], seen["name"], seen["owner"], seen["role"]) == (engine_id, "Küche", owner, "runner")
    again = live.call(wallet, "POST", add.format(engine_id), {member: stranger.address, "role": "reader"})
    assert (again.status_code, again.json()["needs_grant"]) == (200, False)
    gone = live.call(wallet, "DELETE", f"{listed.format(engine_id)}/{stranger.address.lower()}")
    assert gone.status_code == 200
    assert live.call(stranger, "GET", "/user/shared-engines").json() == []


def test_a_guest_may_be_named(local: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    name = f"guest-{stranger.address[2:12]}"
    local.call(stranger, "PUT", "/user/profile", {"name": name})
    engine_id, _ = local.register_engine(wallet)
    body = {"share_with_identifier": name.upper()}
    made = local.call(wallet, "POST", f"/engines/{engine_id}/shares", body)
    assert (made.json()["share_id"], made.json()["role"]) == (stranger.address, "reader")
    assert local.call(wallet, "GET", f"/engines/{engine_id}/shares").json()[0]["username"] == name
    body = {"share_id": stranger.address}
    assert local.call(wallet, "POST", f"/user/engines/{engine_id}/shares/delete", body).status_code == 200
    assert local.call(wallet, "POST", f"/user/engines/{engine_id}/shares/delete", body).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"user_id": "0x12"}, 404),
        ({"user_id": "no-such-name"}, 404),
        ({"user_id": "0x" + "1" * 40, "role": "owner"}, 400),
        ({"user_id": "0x" + "1" * 40, "role": "viewer"}, 400),
    ],
)
def test_a_share_has_its_shape(local: Gateway, wallet: WalletKey, body: dict[str, str], status: int) -> None:
    engine_id, _ = local.register_engine(wallet)
    assert local.call(wallet, "POST", f"/user/engines/{engine_id}/share", body).status_code == status


def test_somebody_elses_engine_does_not_exist(local: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    engine_id, _ = local.register_engine(wallet)
    local.call(wallet, "POST", f"/engines/{engine_id}/shares", {"user_id": stranger.address, "role": "admin"})
    body = {"user_id": "0x" + "1" * 40}
    for method, path in (
        ("GET", f"/engines/{engine_id}/shares"),
        ("POST", f"/engines/{engine_id}/shares"),
        ("DELETE", f"/engines/{engine_id}/shares/{stranger.address}"),
    ):
        theirs = local.call(stranger, method, path, body if method == "POST" else None)
        unknown = local.call(
            stranger, method, path.replace(engine_id, "eng-unknown"), body if method == "POST" else None
        )
        assert theirs.status_code == 404
        assert theirs.json() == unknown.json()
    own = local.call(wallet, "POST", f"/engines/{engine_id}/shares", {"user_id": wallet.address})
    assert own.status_code == 409


def test_the_engine_gets_what_the_owner_signed(
    local: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    engine_id, token = local.register_engine(wallet)
    path, headers = "/api/v1/engine/get-engine-auth-info", {"X-Engine-Id": engine_id, "X-Engine-Token": token}
    body = {"user_id": stranger.address, "role": "runner", "grant": word(wallet, engine_id, stranger)}
    made = local.call(wallet, "POST", f"/engines/{engine_id}/shares", body)
    assert (made.status_code, made.json()["needs_grant"]) == (201, False)
    addresses = [wallet.address.lower(), stranger.address.lower()]
    assert local.send("GET", path, headers=headers).json() == addresses, "the documented array"
    told = local.send("GET", f"{path}?grants=1", headers=headers).json()
    assert told["addresses"] == addresses
    [grant] = told["grants"]
    assert (grant["guest"], grant["role"], grant["epoch"]) == (stranger.address, "runner", 3)
    assert grant["signature"] == body["grant"]["signature"]
    local.call(wallet, "POST", f"/engines/{engine_id}/shares", {"user_id": stranger.address, "role": "admin"})
    assert local.send("GET", f"{path}?grants=1", headers=headers).json()["grants"] == []


@pytest.mark.parametrize(
    "fields", [{"role": Role.ADMIN}, {"preset": "Report"}, {"exp": 1_000_000_000_000}, {"engine": "other"}]
)
def test_a_grant_says_what_the_share_says(
    local: Gateway, wallet: WalletKey, stranger: WalletKey, fields: dict[str, Any]
) -> None:
    engine_id, _ = local.register_engine(wallet)
    signed_for = fields.pop("engine", engine_id)
    grant = word(wallet, signed_for, stranger, **fields)
    body = {"user_id": stranger.address, "role": "runner", "grant": grant}
    refused = local.call(wallet, "POST", f"/engines/{engine_id}/shares", body)
    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_REQUEST")
    assert local.call(wallet, "GET", f"/engines/{engine_id}/shares").json() == []


def test_a_grant_of_somebody_else_is_refused(local: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    engine_id, _ = local.register_engine(wallet)
    body = {"user_id": stranger.address, "role": "runner", "grant": word(stranger, engine_id, stranger)}
    refused = local.call(wallet, "POST", f"/engines/{engine_id}/shares", body)
    assert (refused.status_code, refused.json()["code"]) == (401, "BAD_SIGNATURE")


async def test_guest_and_engine_are_told(local: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    engine_id, token = local.register_engine(wallet, "Shared")
    path = f"/user/engines/{engine_id}/share"
    async with engine(local, engine_id, token) as link, gui(local, stranger) as page:
        local.call(wallet, "POST", path, {"user_id": stranger.address})
        told = await page.next("new_shared_engine")
        assert (told["id"], told["name"], told["status"], told["role"]) == (
            engine_id,
            "Shared",
            "online",
            "reader",
        )
        assert await link.next("force_refresh_auth_list") == {}
        local.call(wallet, "POST", path, {"user_id": stranger.address, "role": "admin"})
        assert (await page.next("shared_engine_updated"))["role"] == "admin"
        assert await link.next("force_refresh_auth_list") == {}
        local.call(wallet, "DELETE", f"/user/engines/{engine_id}/shares/{stranger.address}")
        assert await page.next("removed_shared_engine") == {"engine_id": engine_id}
        assert await link.next("force_refresh_auth_list") == {}
