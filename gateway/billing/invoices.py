"""Invoices: numbered without gaps in the transaction that earns them, and never changed afterwards."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy import Connection, insert, select, update

from gateway.billing.invoice_pdf import draw
from gateway.db.billing_tables import billing_counters, billing_invoices
from gateway.db.database import Database
from shared.clock import iso
from shared.contract.billing import Invoice
from shared.errors import ErrorCode, FloworkError


class Invoices:
    """Shows invoices to whom they were issued."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, address: str) -> list[Invoice]:
        """Return the invoices of an address, newest first."""
        query = select(billing_invoices).where(billing_invoices.c.address == address)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(billing_invoices.c.number.desc())).all()
        return [_shown(row) for row in rows]

    def pdf(self, address: str, number: str) -> bytes:
        """Return an invoice as PDF, the same bytes every time; raises NOT_FOUND."""
        row = None
        if number.isascii() and number.isdigit() and len(number) <= 15:
            query = select(billing_invoices).where(
                billing_invoices.c.number == int(number), billing_invoices.c.address == address
            )
            with self._database.read() as connection:
                row = connection.execute(query).first()
        if row is None:
            raise FloworkError(ErrorCode.NOT_FOUND, "You have no invoice of this number.")
        return draw(row.number, json.loads(row.content), row.sha256, row.issued_ms)


def issue(connection: Connection, address: str, source: str, content: dict[str, Any], now_ms: int) -> int:
    """Enter an invoice in the caller's transaction and return its number."""
    counter = billing_counters.c
    # The row stays locked until the transaction ends, so a number that is not used is not taken either.
    connection.execute(
        update(billing_counters).where(counter.name == "invoice").values(value=counter.value + 1)
    )
    number = connection.execute(select(counter.value).where(counter.name == "invoice")).scalar_one()
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    connection.execute(
        insert(billing_invoices).values(
            number=number,
            address=address,
            source=source,
            content=text,
            sha256=hashlib.sha256(f"{number}|{now_ms}|{text}".encode()).hexdigest(),
            issued_ms=now_ms,
        )
    )
    return int(number)


def take_back(connection: Connection, address: str, source: str, now_ms: int) -> None:
    """Issue the credit note to the invoice of a source."""
    found = connection.execute(select(billing_invoices).where(billing_invoices.c.source == source)).first()
    if found is None:
        return
    content: dict[str, Any] = json.loads(found.content)
    negative = {name: f"-{content[name]}" for name in ("total", "paid") if content[name] != "0"}
    content |= negative | {"credit": "0", "corrects": found.number}
    issue(connection, address, f"{source}:reversed", content, now_ms)


def _shown(row: Any) -> Invoice:
    content = json.loads(row.content)
    return Invoice(
        number=row.number,
        issued_at=iso(row.issued_ms),
        plan=content["plan"],
        months=content["months"],
        asset=content["asset"],
        chain_id=content["chain_id"],
        total=content["total"],
        corrects=content["corrects"],
        sha256=row.sha256,
    )
