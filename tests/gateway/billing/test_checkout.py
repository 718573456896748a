"""Quotes: exact, unique, bounded, and with the credit of those that expire given back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.gateway.billing.conftest import Shop
from tests.support.evm import CHAIN_ID

GOOD = {"plan": "pro", "months": 1, "chain_id": CHAIN_ID, "asset": "USDX"}


@pytest.mark.parametrize(
    ("change", "status", "word"),
    [
        ({"plan": "gold"}, 404, "there are pro, team"),
        ({"plan": "free"}, 404, "there are pro, team"),
        ({"chain_id": 1}, 404, f"{CHAIN_ID} (Test)"),
        ({"asset": "DOGE"}, 400, "ETH, USDX"),
        ({"months": 0}, 400, "months"),
        ({"months": -5}, 400, "months"),
        ({"months": 25}, 400, "months"),
    ],
)
def test_what_cannot_be_bought_is_explained(shop: Shop, change: dict, status: int, word: str) -> None:
    answer = shop.gateway.call(shop.wallet, "POST", "/billing/checkout", GOOD | change)
    assert answer.status_code == status
    assert word in answer.json()["error"]


def test_quotes_are_unique_and_bounded(shop: Shop) -> None:
    with ThreadPoolExecutor(8) as threads:
        asked = [
            threads.submit(shop.gateway.call, shop.wallet, "POST", "/billing/checkout", GOOD)
            for _ in range(24)
        ]
        answers = [one.result() for one in asked]
    made = [answer.json()["amount"] for answer in answers if answer.status_code == 201]
    assert len(made) == len(set(made)) == 20
    assert {answer.status_code for answer in answers} == {201, 409}


def test_credit_is_reserved_once_and_returned_when_the_quote_expires(shop: Shop) -> None:
    assert shop.settle(shop.chain.pay(shop.customer, shop.quote(), -2_000_000))["outcome"] == "underpaid"
    credit = shop.credit()
    with ThreadPoolExecutor(8) as threads:
        quotes = list(threads.map(lambda _: shop.quote(), range(8)))
    assert sum(int(quote["credit_used"]) for quote in quotes) == credit
    assert shop.credit() == 0
    with shop.billing() as billing, billing.database.write() as connection:
        connection.exec_driver_sql("UPDATE billing_quotes SET expires_ms = 5 WHERE status = 'open'")
    shop.jobs()
    shop.jobs()
    assert shop.credit() == credit


def test_a_higher_plan_comes_first_and_the_lower_one_goes_on_after_it(shop: Shop) -> None:
    assert shop.settle(shop.chain.pay(shop.customer, shop.quote(plan="pro")))["outcome"] == "ok"
    first = shop.ask("GET", "/subscription")
    assert (first["plan"], first["later"]) == ("pro", {})
    assert shop.settle(shop.chain.pay(shop.customer, shop.quote("ETH", plan="team")))["outcome"] == "ok"
    both = shop.ask("GET", "/subscription")
    assert both["plan"] == "team"
    assert both["later"]["pro"] > both["expires_at"] >= first["expires_at"]
    assert both["limits"]["engines"] is None
