"""Payments whose block the chain gives up, before and after they were counted."""

from __future__ import annotations

from tests.gateway.billing.conftest import CONFIRMATIONS, Shop, transfer_data


def test_a_pending_payment_whose_block_is_gone_stays_pending(shop: Shop) -> None:
    quote = shop.quote()
    snapshot = shop.chain.node.call("evm_snapshot")
    tx = shop.chain.pay(shop.customer, quote)
    assert shop.submit(tx)["confirmations"] == 1
    shop.chain.node.call("evm_revert", snapshot)
    shop.chain.confirm(5)
    told = shop.submit(tx)
    assert (told["outcome"], told["confirmations"]) == ("pending", 0)
    assert shop.plan() == "free"


def test_a_counted_payment_is_taken_back_and_counts_again(shop: Shop) -> None:
    quote = shop.quote()
    data = transfer_data(shop.recipient, int(quote["amount"]) + 7)
    raw = shop.chain.sign(shop.customer, shop.chain.token, 0, data)
    snapshot = shop.chain.node.call("evm_snapshot")
    tx = shop.chain.node.call("eth_sendRawTransaction", raw)
    assert shop.settle(tx)["outcome"] == "overpaid"
    assert (shop.plan(), shop.credit()) == ("pro", 7)

    shop.chain.node.call("evm_revert", snapshot)
    shop.chain.confirm(5)
    shop.jobs()
    assert (shop.plan(), shop.credit()) == ("free", 0)
    assert [item["outcome"] for item in shop.ask("GET", "/payments")] == ["pending"]
    note, invoice = shop.invoices()
    assert note["corrects"] == invoice["number"]
    assert note["total"] == "-" + invoice["total"]
    assert [item["kind"] for item in shop.ask("GET", "/notices")] == ["reorganised", "paid"]

    assert shop.chain.node.call("eth_sendRawTransaction", raw) == tx
    shop.chain.confirm()
    shop.jobs()
    assert (shop.plan(), shop.credit()) == ("pro", 7)
    assert [item["outcome"] for item in shop.ask("GET", "/payments")] == ["overpaid"]
    assert [item["number"] for item in shop.invoices()] == [3, 2, 1]


def test_a_payment_deep_in_the_chain_is_final(shop: Shop) -> None:
    snapshot = shop.chain.node.call("evm_snapshot")
    tx = shop.chain.pay(shop.customer, shop.quote())
    assert shop.settle(tx)["outcome"] == "ok"
    shop.chain.confirm(2 * CONFIRMATIONS)
    shop.jobs()
    shop.chain.node.call("evm_revert", snapshot)
    shop.jobs()
    assert shop.plan() == "pro"


def test_credit_that_was_spent_is_owed_after_it_is_taken_back(shop: Shop) -> None:
    snapshot = shop.chain.node.call("evm_snapshot")
    tx = shop.chain.pay(shop.customer, shop.quote(), 12_000_000)
    assert shop.settle(tx)["outcome"] == "overpaid"
    assert shop.quote()["status"] == "paid"
    shop.chain.node.call("evm_revert", snapshot)
    shop.chain.confirm(5)
    shop.jobs()
    assert shop.credit() == -12_000_000
    assert shop.quote()["credit_used"] == "0"
