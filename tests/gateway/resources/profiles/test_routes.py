"""Profiles, what pages keep, and the end of an account, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, engine, gui


def name_of(wallet: WalletKey) -> str:
    """Return a name that no other test takes."""
    return f"user-{wallet.address[2:12]}"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_profile_is_changed_and_public(live: Gateway, wallet: WalletKey, method: str) -> None:
    name = name_of(wallet)
    body = {"name": name, "bio": " Gärtner ", "avatar": "https://example.org/a.png"}
    changed = live.call(wallet, method, "/user/profile", body)
    assert changed.status_code == 200, changed.text
    shown = {"name": name, "bio": "Gärtner", "avatar": "https://example.org/a.png", "address": wallet.address}
    assert changed.json()["user"] == shown | {"email": None}
    for identifier in (name, name.upper(), wallet.address, wallet.address.lower()):
        answer = live.send("GET", f"/api/v1/user/public/{identifier}")
        assert answer.json() == shown | {"articles": []}
    assert live.call(wallet, "GET", "/auth/profile").json()["username"] == name
    again = live.call(wallet, "PATCH", "/user/profile", {"bio": ""}).json()["user"]
    assert (again["bio"], again["name"]) == ("", name)


def test_a_name_belongs_to_one_user(local: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    name = name_of(wallet)
    assert local.call(wallet, "PUT", "/user/profile", {"name": name}).status_code == 200
    taken = local.call(stranger, "PUT", "/user/profile", {"name": name.upper()})
    assert (taken.status_code, taken.json()["code"]) == (409, "CONFLICT")
    assert local.call(wallet, "PUT", "/user/profile", {"name": name.upper()}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"name": "ab"},
        {"name": "x" * 33},
        {"name": "a b c"},
        {"name": "аdmin"},  # noqa: RUF001 - its first letter is Cyrillic
        {"name": "../etc"},
        {"bio": "x" * 501},
        {"avatar": "javascript:alert(1)"},
        {"avatar": "http://example.org/a.png"},
        {"avatar": "data:image/svg+xml;base64,AAAA"},
        {"avatar": 'https://a/"onload='},
    ],
)
def test_a_profile_has_its_limits(local: Gateway, wallet: WalletKey, body: dict[str, str]) -> None:
    answer = local.call(wallet, "PUT", "/user/profile", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")


def test_an_unknown_user_has_no_profile(local: Gateway, stranger: WalletKey) -> None:
    for identifier in ("nobody-of-this-name", stranger.address):
        assert local.send("GET", f"/api/v1/user/public/{identifier}").status_code == 404


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("favorite_presets", ["Report", "Ünïcode"]),
        ("favorite_components", ["delay"]),
        ("active_widgets", [{"id": "clock", "x": 1}]),
    ],
)
def test_pages_keep_bare_arrays(live: Gateway, wallet: WalletKey, kind: str, value: list[Any]) -> None:
    path = f"/user/state/{kind}"
    assert live.call(wallet, "GET", path).json() == []
    saved = live.call(wallet, "PUT", path, value)
    assert (saved.status_code, saved.json()["status"]) == (200, "success")
    assert live.call(wallet, "GET", path).json() == value
    assert live.call(wallet, "PUT", path, []).status_code == 200
    assert live.call(wallet, "GET", path).json() == []


@pytest.mark.parametrize(
    "value",
    [{"a": 1}, b"null", b"", b'["a",', b'["a"],"list":[]', [1], ["x" * 201], ["x"] * 501, b"[" * 80],
)  # fmt: skip
def test_only_arrays_of_the_agreed_shape_are_kept(local: Gateway, wallet: WalletKey, value: Any) -> None:
    answer = local.call(wallet, "PUT", "/user/state/favorite_presets", value)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert local.call(wallet, "GET", "/user/state/favorite_presets").json() == []


def test_what_is_kept_is_bounded(local: Gateway, wallet: WalletKey) -> None:
    widgets = [{"text": "x" * 1000}] * 70
    answer = local.call(wallet, "PUT", "/user/state/active_widgets", widgets)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
    for name in ("a", "b"):
        last = local.call(wallet, "PATCH", "/user/preferences", {name: "x" * 40_000})
    assert (last.status_code, last.json()["code"]) == (413, "TOO_LARGE")
    assert list(local.call(wallet, "GET", "/user/preferences").json()) == ["a"]


def test_preferences_are_merged_and_kept_per_user(
    live: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    assert live.call(wallet, "GET", "/user/preferences").json() == {}
    first = live.call(wallet, "PATCH", "/user/preferences", {"theme": "dark", "grid": {"size": 8}})
    assert first.json()["preferences"] == {"theme": "dark", "grid": {"size": 8}}
    live.call(wallet, "PATCH", "/user/preferences", {"theme": "light"})
    kept = live.call(wallet, "GET", "/user/preferences").json()
    assert kept == {"theme": "light", "grid": {"size": 8}}
    assert live.call(stranger, "GET", "/user/preferences").json() == {}


async def test_an_account_is_deleted_with_everything_that_is_its(
    timed: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    engine_id, token = timed.register_engine(wallet)
    theirs, _ = timed.register_engine(stranger)
    timed.call(wallet, "PATCH", "/user/preferences", {"theme": "dark"})
    timed.call(wallet, "PUT", "/user/profile", {"name": name_of(wallet)})
    timed.call(stranger, "POST", f"/engines/{theirs}/shares", {"user_id": wallet.address})
    timed.call(wallet, "POST", f"/engines/{engine_id}/shares", {"user_id": stranger.address})
    item = {"type": "preset", "name": "x", "data": {}}
    timed.call(wallet, "POST", "/marketplace/publish", item)
    slip = timed.call(wallet, "DELETE", "/user/account", {"confirm": stranger.address})
    assert slip.status_code == 400
    async with (
        gui(timed, wallet) as page,
        gui(timed, stranger) as guest,
        engine(timed, engine_id, token) as link,
    ):
        answer = timed.call(wallet, "DELETE", "/user/account", {"confirm": wallet.address})
        counts = {name: answer.json()[name] for name in ("engines", "shares", "items")}
        assert counts == {"engines": 1, "shares": 1, "items": 1}
        await page.wait_closed()
        await link.wait_closed()
        assert (await guest.next("engine_deleted")) == {"engine_id": engine_id}
    assert timed.call(wallet, "GET", "/user/preferences").json() == {}
    assert timed.call(wallet, "GET", "/user/engines").json() == []
    assert timed.call(stranger, "GET", f"/engines/{theirs}/shares").json() == []
    assert timed.send("GET", "/api/v1/marketplace/list").json() == []
    assert timed.send("GET", f"/api/v1/user/public/{name_of(wallet)}").status_code == 404
