"""Invoices: numbers without gaps, contents that stay, a PDF that can be read."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy.exc import DBAPIError

from gateway.billing import invoices
from gateway.db import migrate
from gateway.db.database import Database
from shared.signing.keys import WalletKey
from tests.gateway.billing.conftest import Shop

CONTENT = {
    "plan": "pro",
    "months": 1,
    "asset": "ETH",
    "chain_id": 1,
    "total": "1",
    "paid": "1",
    "corrects": None,
}


@pytest.fixture
def database(tmp_path: Path, store: dict[str, str]):
    database = Database(store.get("DATABASE_URL", f"sqlite:///{tmp_path / 'gateway.db'}"))
    migrate.upgrade(database)
    yield database
    database.close()


def test_a_transaction_that_fails_takes_no_number(database: Database) -> None:
    def sell(turn: int) -> None:
        with database.write() as connection:
            invoices.issue(connection, "0xa", f"payment:{turn}", CONTENT, 5)
            if turn % 3 == 0:
                raise ValueError

    with ThreadPoolExecutor(8) as threads:
        ended = [threads.submit(sell, turn) for turn in range(30)]
        assert sum(one.exception() is not None for one in ended) == 10
    numbers = [item.number for item in invoices.Invoices(database).of("0xa")]
    assert numbers == list(range(20, 0, -1))


FORGET = "UPDATE billing_invoices SET address = 'deleted'"


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE billing_invoices SET content = '{}'",
        "DELETE FROM billing_invoices",
        "UPDATE billing_invoices SET address = '0xb'",
        f"{FORGET}, number = 7",
        f"{FORGET}, issued_ms = 7",
        f"{FORGET}, sha256 = ''",
        f"{FORGET}, content = replace(content, 'pro', 'deleted')",
    ],
)
def test_an_invoice_cannot_be_changed(database: Database, act: str) -> None:
    with database.write() as connection:
        invoices.issue(connection, "0xa", "payment:1", CONTENT, 5)
    with pytest.raises(DBAPIError, match="cannot be changed"), database.write() as connection:
        connection.exec_driver_sql(act)
    assert [item.total for item in invoices.Invoices(database).of("0xa")] == ["1"]


def test_the_pdf_says_what_was_bought(shop: Shop, stranger: WalletKey) -> None:
    tx = shop.chain.pay(shop.customer, shop.quote("ETH", months=3))
    assert shop.settle(tx)["outcome"] == "ok"
    shown = shop.invoices()[0]
    path = f"/billing/invoices/{shown['number']}/pdf"
    answer = shop.gateway.call(shop.wallet, "GET", path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert 'filename="invoice-1.pdf"' in answer.headers["Content-Disposition"]
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    for part in (
        "Invoice 1",
        "Flowork",
        shop.wallet.address,
        "3 x 30 days",
        f"{shown['total']} ETH",
        tx,
        shown["sha256"],
    ):
        assert part in text
    assert shop.gateway.call(shop.wallet, "GET", path).content == answer.content
    assert shop.gateway.call(stranger, "GET", path).status_code == 404
    assert shop.gateway.call(shop.wallet, "GET", "/billing/invoices/2/pdf").status_code == 404
    assert shop.gateway.call(shop.wallet, "GET", "/billing/invoices/x/pdf").status_code == 404
