"""Payments on a real chain: every documented outcome, and that nothing is lost or counted twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from shared.signing.keys import WalletKey
from tests.gateway.billing.conftest import CONFIRMATIONS, Shop, key_of
from tests.support.evm import CHAIN_ID

DAY = 24 * 60 * 60


def days_until(shown: str) -> float:
    moment = datetime.fromisoformat(shown)
    return (moment - datetime.now(moment.tzinfo)).total_seconds() / DAY


@pytest.mark.parametrize("asset", ["USDX", "ETH"])
def test_an_exact_payment_extends_the_subscription(shop: Shop, asset: str) -> None:
    quote = shop.quote(asset, months=2)
    price = {"USDX": 24_000_000, "ETH": 2 * 10**16}[asset]
    assert int(quote["amount"]) == price + quote["reference"]
    assert quote["recipient"] == shop.recipient
    assert quote["payer"] == shop.wallet.address
    told = shop.settle(shop.chain.pay(shop.customer, quote))
    assert told["outcome"] == "ok"
    assert told["quote_id"] == quote["id"]
    assert told["amount"] == quote["amount"]
    assert shop.plan() == "pro"
    assert 59.9 < days_until(shop.expires()) <= 60
    assert shop.credit(asset) == 0
    assert [item["kind"] for item in shop.ask("GET", "/notices")] == ["paid"]


def test_a_payment_waits_for_its_confirmations(shop: Shop) -> None:
    tx = shop.chain.pay(shop.customer, shop.quote())
    told = shop.submit(tx)
    assert (told["outcome"], told["confirmations"], told["confirmations_needed"]) == (
        "pending", 1, CONFIRMATIONS,
    )  # fmt: skip
    assert shop.submit(tx)["outcome"] == "pending"
    assert shop.plan() == "free"
    shop.chain.confirm(CONFIRMATIONS - 2)
    shop.jobs()
    assert shop.plan() == "free"
    shop.chain.confirm(1)
    shop.jobs()
    assert shop.plan() == "pro"
    assert [item["outcome"] for item in shop.ask("GET", "/payments")] == ["ok"]


def test_underpaid_is_kept_as_credit_and_used_at_the_next_checkout(shop: Shop) -> None:
    quote = shop.quote()
    told = shop.settle(shop.chain.pay(shop.customer, quote, -1_000_000))
    assert told["outcome"] == "underpaid"
    paid = int(quote["amount"]) - 1_000_000
    assert told["credited"] == str(paid)
    assert shop.plan() == "free"
    assert shop.credit() == paid
    rest = shop.quote()
    assert int(rest["credit_used"]) == paid
    assert int(rest["amount"]) == 12_000_000 - paid + rest["reference"]
    assert shop.credit() == 0
    assert shop.settle(shop.chain.pay(shop.customer, rest))["outcome"] == "ok"
    assert shop.plan() == "pro"
    assert shop.credit() == 0


def test_overpaid_pays_and_keeps_the_rest(shop: Shop) -> None:
    told = shop.settle(shop.chain.pay(shop.customer, shop.quote(), 13_000_000))
    assert told["outcome"] == "overpaid"
    assert told["credited"] == "13000000"
    assert shop.plan() == "pro"
    assert shop.credit() == 13_000_000
    covered = shop.quote()
    assert (covered["status"], covered["amount"], covered["credit_used"]) == ("paid", "0", "12000000")
    assert shop.credit() == 1_000_000
    assert 59.9 < days_until(shop.expires()) <= 60
    assert shop.invoices()[0]["total"] == "12"


def test_another_asset_than_quoted_is_credit_in_that_asset(shop: Shop) -> None:
    shop.quote("USDX")
    told = shop.settle(shop.chain.send(shop.customer, shop.recipient, 5 * 10**15))
    assert told["outcome"] == "wrong_asset"
    assert told["asset"] == "ETH"
    assert shop.plan() == "free"
    assert shop.credit("ETH") == 5 * 10**15
    assert int(shop.quote("ETH")["credit_used"]) == 5 * 10**15


def test_a_token_that_is_not_taken_earns_nothing(shop: Shop) -> None:
    quote = shop.quote()
    tx = shop.chain.transfer(shop.customer, shop.recipient, int(quote["amount"]), shop.chain.foreign)
    told = shop.settle(tx)
    assert told["outcome"] == "wrong_asset"
    assert told["asset"] == shop.chain.foreign.lower()
    assert told["credited"] == "0"
    assert shop.ask("GET", "/credits") == {"balances": [], "entries": []}
    assert shop.plan() == "free"


def test_a_payment_counts_for_its_sender_whoever_tells_of_it(shop: Shop, stranger: WalletKey) -> None:
    quote = shop.quote()
    tx = shop.chain.pay(shop.customer, quote)
    shop.chain.confirm()
    told = shop.submit(tx, stranger)
    assert told["outcome"] == "wrong_sender"
    assert told["amount"] is None
    assert shop.ask("GET", "/subscription", wallet=stranger)["plan"] == "free"
    assert shop.ask("GET", "/credits", wallet=stranger)["entries"] == []
    assert shop.ask("GET", "/payments", wallet=stranger) == []
    assert shop.plan() == "pro"
    assert shop.submit(tx)["outcome"] == "replayed"
    assert shop.submit(tx, stranger)["outcome"] == "wrong_sender"


def test_paying_the_quote_of_another_from_the_own_wallet(shop: Shop) -> None:
    other = shop.chain.node.accounts[2]
    shop.quote("ETH")
    told = shop.settle(shop.chain.pay(other, shop.quote("USDX")))
    assert told["outcome"] == "wrong_sender"
    assert shop.plan() == "free"
    assert shop.ask("GET", "/payments", wallet=key_of(other))[0]["outcome"] == "no_quote"


def test_a_late_payment_is_kept_as_credit(shop: Shop) -> None:
    snapshot = shop.chain.node.call("evm_snapshot")
    quote = shop.quote()
    shop.chain.node.call("evm_increaseTime", 2 * 60 * 60)
    told = shop.settle(shop.chain.pay(shop.customer, quote))
    shop.chain.node.call("evm_revert", snapshot)
    shop.chain.node.call("evm_increaseTime", -2 * 60 * 60)
    assert told["outcome"] == "late"
    assert shop.plan() == "free"
    assert shop.credit() == int(quote["amount"])
    assert shop.quote()["status"] == "paid"
    assert shop.plan() == "pro"


def test_a_transaction_counts_once(shop: Shop) -> None:
    tx = shop.chain.pay(shop.customer, shop.quote())
    assert shop.settle(tx)["outcome"] == "ok"
    before = shop.expires()
    shop.quote()
    told = shop.submit("0x" + tx[2:].upper())
    assert told["outcome"] == "replayed"
    assert "outcome ok" in told["message"]
    shop.jobs()
    assert shop.expires() == before
    assert len(shop.invoices()) == 1


def test_twenty_threads_tell_of_one_transaction(shop: Shop) -> None:
    tx = shop.chain.pay(shop.customer, shop.quote())
    shop.chain.confirm()
    with ThreadPoolExecutor(20) as threads:
        told = list(threads.map(lambda _: shop.submit(tx)["outcome"], range(20)))
    assert sorted(told) == ["ok"] + ["replayed"] * 19
    assert 29.9 < days_until(shop.expires()) <= 30
    assert len(shop.invoices()) == 1
    assert len(shop.ask("GET", "/payments")) == 1


def test_what_was_paid_before_the_first_quote_earns_nothing(shop: Shop) -> None:
    tx = shop.chain.transfer(shop.customer, shop.recipient, 12_000_000)
    assert shop.settle(tx)["outcome"] == "no_quote"
    assert shop.ask("GET", "/credits")["entries"] == []


def test_a_transaction_to_somebody_else_and_a_failed_one(shop: Shop) -> None:
    shop.quote()
    elsewhere = shop.chain.transfer(shop.customer, WalletKey.create()[0].address, 12_000_000)
    too_much = shop.chain.sign(
        shop.customer,
        shop.chain.token,
        0,
        "0xa9059cbb" + shop.recipient[2:].lower().rjust(64, "0") + "f" * 64,
    )
    assert shop.settle(elsewhere)["outcome"] == "no_payment"
    failed = shop.chain.node.call("eth_sendRawTransaction", too_much)
    assert shop.settle(failed)["outcome"] == "failed"
    assert shop.ask("GET", "/credits")["entries"] == []


def test_a_transaction_nobody_has_seen_is_pending(shop: Shop) -> None:
    told = shop.submit("0x" + "ab" * 32)
    assert (told["outcome"], told["confirmations"]) == ("pending", 0)
    body = {"tx_hash": "0x" + "ab" * 32, "chain_id": 5}
    assert shop.gateway.call(shop.wallet, "POST", "/billing/payments", body).status_code == 404
    body = {"tx_hash": "0x12", "chain_id": CHAIN_ID}
    assert shop.gateway.call(shop.wallet, "POST", "/billing/payments", body).status_code == 400


def test_pending_payments_of_one_caller_are_bounded(shop: Shop) -> None:
    for number in range(20):
        shop.submit(f"0x{number:064x}")
    body = {"tx_hash": f"0x{99:064x}", "chain_id": CHAIN_ID}
    answer = shop.gateway.call(shop.wallet, "POST", "/billing/payments", body)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
