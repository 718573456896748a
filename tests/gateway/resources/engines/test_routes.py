"""Engines over HTTP, as the documented clients use them, on both runtimes."""

from __future__ import annotations

import re

import pytest

from shared.ids import new_engine_token
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine, gui


def test_registration_shows_the_token_once(live: Gateway, wallet: WalletKey) -> None:
    answer = live.call(wallet, "POST", "/user/engines", {"name": "  Büro  "})
    body = answer.json()
    assert answer.status_code == 201
    assert set(body) == {"id", "name", "status", "raw_token"}
    assert body["name"] == "Büro"
    assert body["status"] == "offline"
    assert re.fullmatch(r"dev_engine_[0-9a-f]{32}", body["raw_token"])
    listed = live.call(wallet, "GET", "/user/engines")
    assert listed.json() == [{"id": body["id"], "name": "Büro", "status": "offline", "last_seen": None}]
    assert body["raw_token"] not in listed.text


def test_engines_are_listed_by_name(local: Gateway, wallet: WalletKey) -> None:
    for name in ("b", "A", "c"):
        local.register_engine(wallet, name)
    assert [item["name"] for item in local.call(wallet, "GET", "/user/engines").json()] == ["A", "b", "c"]


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "   "}, {"name": "x" * 101}, {"name": 7}, {"name": None}]
)
def test_a_name_is_required(local: Gateway, wallet: WalletKey, body: dict) -> None:
    answer = local.call(wallet, "POST", "/user/engines", body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_REQUEST"
    assert answer.json()["details"][0]["field"] == "name"


def test_fields_nobody_may_set_are_ignored(local: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    body = {"name": "mine", "id": "eng-chosen", "owner_address": stranger.address, "status": "online"}
    answer = local.call(wallet, "POST", "/user/engines", body)
    assert answer.json()["id"] != "eng-chosen"
    assert local.call(stranger, "GET", "/user/engines").json() == []


def test_rename(local: Gateway, wallet: WalletKey) -> None:
    engine_id, _ = local.register_engine(wallet, "old")
    answer = local.call(wallet, "PUT", f"/user/engines/{engine_id}/update-name", {"name": "new"})
    assert answer.status_code == 200
    assert answer.json() == {"message": "The engine was renamed."}
    assert local.engine(wallet, engine_id)["name"] == "new"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/user/engines/{}", None),
        ("POST", "/user/engines/{}/reset-token", None),
        ("PUT", "/user/engines/{}/update-name", {"name": "taken over"}),
        ("POST", "/user/engines/claim", {"engine_id": "{}", "proof": "0" * 64}),
    ],
)
def test_an_engine_of_somebody_else_is_answered_like_an_unknown_one(
    local: Gateway, wallet: WalletKey, stranger: WalletKey, method: str, path: str, body: dict | None
) -> None:
    engine_id, token = local.register_engine(wallet, "mine")

    def ask(target: str) -> tuple[int, str]:
        sent = body and {key: value.format(target) for key, value in body.items()}
        answer = local.call(stranger, method, path.format(target), sent)
        return answer.status_code, answer.text

    assert ask(engine_id) == ask("no-such-engine")
    assert ask(engine_id)[0] == 404
    assert local.engine(wallet, engine_id)["name"] == "mine"
    assert auth_info(local, engine_id, token).status_code == 200


def auth_info(gateway: Gateway, engine_id: str, token: str):
    headers = {"X-Engine-Id": engine_id, "X-Engine-Token": token}
    return gateway.send("GET", "/api/v1/engine/get-engine-auth-info", headers=headers)


def test_the_engine_learns_who_may_use_it(live: Gateway, wallet: WalletKey) -> None:
    engine_id, token = live.register_engine(wallet)
    answer = auth_info(live, engine_id, token)
    assert answer.status_code == 200
    assert answer.json() == [wallet.address.lower()]


def test_an_unowned_engine_has_nobody(live: Gateway) -> None:
    assert auth_info(live, live.bundled_id, live.bundled_token).json() == []


@pytest.mark.parametrize("change", ["token", "id", "both", "missing"])
def test_the_engines_token_is_required(local: Gateway, wallet: WalletKey, change: str) -> None:
    engine_id, token = local.register_engine(wallet)
    other, _ = local.register_engine(wallet)
    given = {
        "token": (engine_id, new_engine_token()),
        "id": (other, token),
        "both": ("x", "y"),
        "missing": ("", ""),
    }[change]
    answer = auth_info(local, *given)
    assert answer.status_code == 401
    assert answer.json() == {"error": "Invalid engine_id or token", "code": "UNAUTHENTICATED"}


async def test_a_reset_token_stops_the_old_one_and_closes_its_link(live: Gateway, wallet: WalletKey) -> None:
    engine_id, old = live.register_engine(wallet)
    async with engine(live, engine_id, old) as link:
        answer = live.call(wallet, "POST", f"/user/engines/{engine_id}/reset-token")
        assert answer.status_code == 200
        await link.wait_closed(1.0)
    new = answer.json()["token"]
    assert answer.json()["engine_id"] == engine_id
    assert auth_info(live, engine_id, old).status_code == 401
    assert auth_info(live, engine_id, new).status_code == 200


async def test_deleting_closes_the_link_and_tells_the_gui(live: Gateway, wallet: WalletKey) -> None:
    engine_id, token = live.register_engine(wallet)
    async with gui(live, wallet) as page, engine(live, engine_id, token) as link:
        answer = live.call(wallet, "DELETE", f"/user/engines/{engine_id}")
        assert answer.status_code == 200
        await link.wait_closed(1.0)
        assert await page.next("engine_deleted") == {"engine_id": engine_id}
    assert live.call(wallet, "GET", "/user/engines").json() == []
    assert auth_info(live, engine_id, token).status_code == 401
    assert live.call(wallet, "DELETE", f"/user/engines/{engine_id}").status_code == 404


async def test_an_engine_is_online_while_it_is_connected(live: Gateway, wallet: WalletKey) -> None:
    engine_id, token = live.register_engine(wallet)
    async with gui(live, wallet) as page:
        async with engine(live, engine_id, token):
            shown = live.engine(wallet, engine_id)
            assert shown["status"] == "online"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", shown["last_seen"])
        await page.next("engine_status_update", engine_id=engine_id, status="offline")
        assert live.engine(wallet, engine_id)["status"] == "offline"
        assert live.engine(wallet, engine_id)["last_seen"] >= shown["last_seen"]
