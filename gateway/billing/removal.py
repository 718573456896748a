"""What becomes of billing when an account is deleted: what identifies its owner goes, what must be kept stays without.

Invoices are kept because a seller has to keep them, and transactions because each counts once; neither names the
account any more. Everything else is deleted.
"""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, select, update

from gateway.billing import ledger
from gateway.db.billing_tables import (
    FORGOTTEN,
    billing_accounts,
    billing_credits,
    billing_invoices,
    billing_notices,
    billing_payments,
    billing_quotes,
    subscriptions,
    usage_counts,
)
from shared.clock import iso
from shared.signing.keys import checksum_address

_DELETED: tuple[Table, ...] = (
    usage_counts,
    subscriptions,
    billing_credits,
    billing_notices,
    billing_accounts,
)


def losses(connection: Connection, address: str, now_ms: int) -> list[str]:
    """Tell what of value would be lost with the account, in words; also locks its money until the transaction ends."""
    table = billing_payments.c
    # In the order in which payments are settled: their rows first, then the account.
    own = select(table.tx_hash, table.state).where(table.address == address).order_by(table.id)
    payments = connection.execute(own.with_for_update()).all()
    ledger.lock(connection, address, now_ms)
    found = [
        f"the plan {plan} that is paid until {iso(end)}"
        for plan, end in sorted(ledger.running(connection, address, now_ms).items())
    ]
    found += [
        f"credit of {amount} base units of {asset} on chain {chain_id}"
        for (chain_id, asset), amount in _credit(connection, address).items()
        if amount > 0
    ]
    waiting = [row.tx_hash for row in payments if row.state == "pending"]
    return found + [f"the payment {tx_hash} that is not counted yet" for tx_hash in waiting]


def _credit(connection: Connection, address: str) -> dict[tuple[int, str], int]:
    """Return the credit with what open quotes have set aside of it."""
    sums, table = ledger.balances(connection, address), billing_quotes.c
    query = select(table.chain_id, table.asset, table.credit_used).where(
        table.address == address, table.status == "open"
    )
    for row in connection.execute(query):
        key = (row.chain_id, row.asset)
        sums[key] = sums.get(key, 0) + int(row.credit_used)
    return sums


def forget(connection: Connection, address: str) -> int:
    """Delete or anonymise what billing keeps of an address; return how many invoices are kept."""
    payments, quotes = billing_payments.c, billing_quotes.c
    # A payment that was not counted can be told again by whoever sent it.
    connection.execute(
        delete(billing_payments).where(payments.address == address, payments.state == "pending")
    )
    connection.execute(
        update(billing_payments).where(payments.address == address).values(address=FORGOTTEN, state="final")
    )
    used = select(payments.quote_id).where(payments.quote_id.is_not(None))
    connection.execute(delete(billing_quotes).where(quotes.address == address, quotes.id.not_in(used)))
    connection.execute(update(billing_quotes).where(quotes.address == address).values(address=FORGOTTEN))
    for table in _DELETED:
        connection.execute(delete(table).where(table.c.address == address))
    return _anonymise_invoices(connection, address)


def _anonymise_invoices(connection: Connection, address: str) -> int:
    table, shown = billing_invoices.c, checksum_address(address)
    query = select(table.number, table.content).where(table.address == address)
    rows = connection.execute(query).all()
    for row in rows:
        # The database lets an invoice change in this way only, see migration 0030.
        content = row.content.replace(shown, FORGOTTEN)
        connection.execute(
            update(billing_invoices)
            .where(table.number == row.number)
            .values(address=FORGOTTEN, content=content)
        )
    return len(rows)
