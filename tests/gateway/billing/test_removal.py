"""The end of an account that has paid: what is kept names it no more, and nothing of value goes unsaid."""

from __future__ import annotations

from typing import Any

from gateway.billing.service import Billing
from gateway.db.billing_tables import FORGOTTEN, billing_invoices
from gateway.db.tables import metadata
from tests.gateway.billing.conftest import Shop


def delete(shop: Shop, **more: Any) -> Any:
    body = {"confirm": shop.wallet.address, **more}
    return shop.gateway.call(shop.wallet, "DELETE", "/user/account", body)


def traces(billing: Billing, address: str) -> set[str]:
    """Return the tables in which an address stands in any column."""
    found: set[str] = set()
    with billing.database.read() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(table.select()).all()
            if any(address.lower() in str(value).lower() for row in rows for value in row):
                found.add(table.name)
    return found


def test_an_account_is_deleted_while_invoices_exist(shop: Shop) -> None:
    paid = shop.chain.pay(shop.customer, shop.quote())
    assert shop.settle(paid)["outcome"] == "ok"
    over = shop.chain.pay(shop.customer, shop.quote(), 10**6)
    assert shop.settle(over)["outcome"] == "overpaid"
    waiting = shop.chain.pay(shop.customer, shop.quote())
    assert shop.submit(waiting)["outcome"] == "pending"
    shop.quote("ETH")
    refused = delete(shop)
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    lost = refused.json()["details"]["would_lose"]
    assert lost[0].startswith("the plan pro that is paid until ")
    assert lost[1:] == [
        "credit of 1000000 base units of USDX on chain 31337",
        f"the payment {waiting} that is not counted yet",
    ]
    assert shop.plan() == "pro"
    done = delete(shop, forfeit=True)
    assert (done.status_code, done.json()["invoices"]) == (200, 2)
    with shop.billing() as billing:
        # The log of acts keeps its entries for a year, and used signatures stay used.
        assert traces(billing, shop.wallet.address) == {"audit_log", "socket_sessions"} & traces(
            billing, shop.wallet.address
        )
        with billing.database.read() as connection:
            kept = connection.execute(billing_invoices.select()).all()
    assert [row.address for row in kept] == [FORGOTTEN] * 2
    assert all('"buyer": "deleted"' in row.content for row in kept)
    _begin_again(shop, paid, waiting)


def _begin_again(shop: Shop, paid: str, waiting: str) -> None:
    """What was counted counts no second time; what was not is still there to be told."""
    assert (shop.plan(), shop.credit(), shop.invoices()) == ("free", 0, [])
    assert shop.submit(paid)["outcome"] == "replayed"
    assert shop.ask("GET", "/payments") == []
    shop.quote()
    shop.chain.confirm()
    assert shop.submit(waiting)["outcome"] == "underpaid"
    assert shop.credit() > 0
    shop.jobs()
    assert shop.invoices() == []


def test_an_account_without_anything_of_value_is_deleted_at_once(shop: Shop) -> None:
    shop.quote()
    assert delete(shop).json()["invoices"] == 0
    with shop.billing() as billing:
        assert "billing_quotes" not in traces(billing, shop.wallet.address)
