"""The marketplace over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from shared.clock import ManualClock
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, in_process

ADMIN = WalletKey.from_hex("8" * 64)
ITEM = {"type": "preset", "name": "Report", "desc": "Every morning", "price": 0, "data": {"nodes": [1]}}


@pytest.fixture
def market(tmp_path, clock: ManualClock):
    with in_process(tmp_path, clock, GATEWAY_ADMINS=ADMIN.address) as gateway:
        yield gateway


def publish(gateway: Gateway, wallet: WalletKey, **fields: Any) -> Any:
    return gateway.call(wallet, "POST", "/marketplace/publish", ITEM | fields)


def listed(gateway: Gateway, query: str = "") -> Any:
    return gateway.send("GET", f"/api/v1/marketplace/list{query}").json()


def test_what_is_published_is_listed_newest_first(
    market: Gateway, wallet: WalletKey, clock: ManualClock
) -> None:
    first = publish(market, wallet, author="somebody else")
    assert (first.status_code, first.json()["success"], first.json()["version"]) == (201, True, 1)
    clock.advance(1)
    publish(market, wallet, type="capsule", name="Newest")
    assert [item["name"] for item in listed(market)] == ["Newest", "Report"]
    [shown] = listed(market, "?type=preset")
    assert {name: shown[name] for name in ("id", "desc", "price", "author", "likes", "dislikes")} == {
        "id": first.json()["id"], "desc": "Every morning", "price": "0", "author": wallet.address, "likes": 0,
        "dislikes": 0,
    }  # fmt: skip
    assert [item["name"] for item in listed(market, "?type=capsule")["items"]] == ["Newest"]
    detail = market.send("GET", f"/api/v1/marketplace/items/{first.json()['id']}").json()
    assert (detail["data"], detail["versions"]) == ({"nodes": [1]}, [1])


def test_only_its_author_replaces_an_item_and_old_versions_stay(
    market: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    item_id = publish(market, wallet).json()["id"]
    taken = publish(market, stranger, id=item_id, name="Mine now")
    assert (taken.status_code, taken.json()["code"]) == (404, "NOT_FOUND")
    assert publish(market, stranger, id="chosen-by-me").status_code == 404
    second = publish(market, wallet, id=item_id, data={"nodes": [2]})
    assert second.json()["version"] == 2
    path = f"/api/v1/marketplace/items/{item_id}"
    assert market.send("GET", path).json()["data"] == {"nodes": [2]}
    assert market.send("GET", f"{path}?version=1").json()["data"] == {"nodes": [1]}
    assert market.send("GET", f"{path}?version=3").status_code == 404
    for _ in range(10):
        publish(market, wallet, id=item_id)
    assert market.send("GET", path).json()["versions"] == list(range(12, 2, -1))


def test_votes_count_once_for_each_address(market: Gateway, wallet: WalletKey, stranger: WalletKey) -> None:
    item_id = publish(market, wallet).json()["id"]

    def vote(voter: WalletKey, value: int) -> Any:
        return market.call(voter, "POST", "/marketplace/vote", {"itemId": item_id, "voteType": value})

    assert vote(stranger, 1).json()["newVoteStatus"] == 1
    vote(stranger, 1)
    vote(wallet, -1)
    assert (listed(market)[0]["likes"], listed(market)[0]["dislikes"]) == (1, 1)
    vote(stranger, 0)
    assert listed(market)[0]["likes"] == 0
    assert vote(stranger, 2).status_code == 400
    body = {"itemId": "no-such-item", "voteType": 1}
    assert market.call(stranger, "POST", "/marketplace/vote", body).status_code == 404


def test_an_item_is_deleted_by_its_author_or_an_operator(
    market: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    for deleter in (wallet, ADMIN):
        body = {"id": publish(market, wallet).json()["id"]}
        market.call(stranger, "POST", "/marketplace/vote", {"itemId": body["id"], "voteType": 1})
        assert market.call(stranger, "POST", "/marketplace/delete", body).status_code == 404
        assert market.call(deleter, "POST", "/marketplace/delete", body).json()["success"] is True
        assert market.send("GET", f"/api/v1/marketplace/items/{body['id']}").status_code == 404
    assert listed(market) == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"data": "x" * (256 * 1024)}, 413),
        ({"name": ""}, 400),
        ({"type": "Not a type"}, 400),
        ({"price": -1}, 400),
        ({"desc": "x" * 2001}, 400),
        ({"id": "../up"}, 400),
    ],
)
def test_an_item_has_its_limits(
    local: Gateway, wallet: WalletKey, fields: dict[str, Any], status: int
) -> None:
    assert publish(local, wallet, **fields).status_code == status


def test_publications_have_a_daily_limit(market: Gateway, wallet: WalletKey, clock: ManualClock) -> None:
    for number in range(50):
        assert publish(market, wallet, name=f"Item {number}").status_code == 201
    refused = publish(market, wallet)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
    clock.advance(24 * 60 * 60)
    assert publish(market, wallet).status_code == 201


def test_components_are_not_installed(local: Gateway, wallet: WalletKey) -> None:
    answer = local.call(wallet, "POST", "/marketplace/component/install", {"id": "x", "zip_data": "UEs="})
    assert (answer.status_code, answer.json()["code"]) == (501, "NOT_IMPLEMENTED")
