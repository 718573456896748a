"""Credit, subscriptions, notices and the lock of an account: what is entered once for one cause.

Every function works in the caller's transaction; addresses are in lower case.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from gateway.billing.plans import Plans
from gateway.db.billing_tables import (
    billing_accounts,
    billing_credits,
    billing_notices,
    subscriptions,
)
from gateway.db.upsert import insert_on_conflict


def insert_new(connection: Connection, table: Table, **values: Any) -> bool:
    """Insert a row unless one with the same key is there; tell whether it was inserted."""
    query = insert_on_conflict(connection.dialect.name, table).values(**values).on_conflict_do_nothing()
    return connection.execute(query).rowcount == 1


def lock(connection: Connection, address: str, now_ms: int) -> None:
    """Let nobody else change the money of an account until the transaction ends."""
    insert_new(connection, billing_accounts, address=address, created_ms=now_ms)
    query = select(billing_accounts.c.address).where(billing_accounts.c.address == address)
    connection.execute(query.with_for_update()).first()


def balances(connection: Connection, address: str) -> dict[tuple[int, str], int]:
    """Return the credit by chain and asset, in base units."""
    table = billing_credits.c
    sums: dict[tuple[int, str], int] = {}
    query = select(table.chain_id, table.asset, table.amount).where(table.address == address)
    for row in connection.execute(query.order_by(table.chain_id, table.asset)):
        key = (row.chain_id, row.asset)
        sums[key] = sums.get(key, 0) + int(row.amount)
    return sums


def add_credit(  # noqa: PLR0913 - the columns of the row
    connection: Connection,
    *,
    address: str,
    chain_id: int,
    asset: str,
    amount: int,
    reason: str,
    source: str,
    now_ms: int,
) -> bool:
    """Enter a change of the credit; the same source is entered once."""
    return insert_new(
        connection,
        billing_credits,
        address=address,
        chain_id=chain_id,
        asset=asset,
        amount=str(amount),
        reason=reason,
        source=source,
        at_ms=now_ms,
    )


def reverse_credits(connection: Connection, source: str, now_ms: int) -> None:
    """Take back every entry whose source begins like this."""
    table = billing_credits.c
    rows = connection.execute(select(billing_credits).where(table.source.startswith(source, autoescape=True)))
    for row in rows.all():
        add_credit(
            connection,
            address=row.address,
            chain_id=row.chain_id,
            asset=row.asset,
            amount=-int(row.amount),
            reason="taken back: the chain was reorganised",
            source=f"{row.source}:reversed",
            now_ms=now_ms,
        )


def notify(  # noqa: PLR0913 - the columns of the row
    connection: Connection, *, address: str, kind: str, message: str, source: str, now_ms: int
) -> bool:
    """Leave a notice; the same source is told once."""
    return insert_new(
        connection,
        billing_notices,
        address=address,
        kind=kind,
        message=message,
        source=source,
        at_ms=now_ms,
    )


def running(connection: Connection, address: str, now_ms: int) -> dict[str, int]:
    """Return the plans that are paid beyond now, with when each ends."""
    table = subscriptions.c
    query = select(table.plan, table.expires_ms).where(table.address == address, table.expires_ms > now_ms)
    return {row.plan: row.expires_ms for row in connection.execute(query)}


def extend(  # noqa: PLR0913 - what a purchase is made of
    connection: Connection, plans: Plans, *, address: str, plan: str, length_ms: int, now_ms: int
) -> tuple[int, int]:
    """Add paid time to a plan and return from when to when it counts.

    Lower plans wait meanwhile, so their time is moved behind; time of a lower plan begins after the higher ones.
    """
    paid, rank = running(connection, address, now_ms), plans.rank(plan)
    start = max([now_ms, *(end for other, end in paid.items() if plans.rank(other) >= rank)])
    _set(connection, address, plan, max(start, paid.get(plan, 0)) + length_ms)
    for other, end in paid.items():
        if plans.rank(other) < rank:
            _set(connection, address, other, end + length_ms)
    return start, start + length_ms


def shorten(  # noqa: PLR0913 - what a purchase is made of
    connection: Connection, plans: Plans, *, address: str, plan: str, length_ms: int, now_ms: int
) -> None:
    """Take paid time back, as if it had never been added."""
    for other, end in running(connection, address, now_ms).items():
        if other == plan or plans.rank(other) < plans.rank(plan):
            _set(connection, address, other, end - length_ms)
    table = subscriptions.c
    connection.execute(delete(subscriptions).where(table.address == address, table.expires_ms <= now_ms))


def _set(connection: Connection, address: str, plan: str, expires_ms: int) -> None:
    if not insert_new(connection, subscriptions, address=address, plan=plan, expires_ms=expires_ms):
        table = subscriptions.c
        found = update(subscriptions).where(table.address == address, table.plan == plan)
        connection.execute(found.values(expires_ms=expires_ms))
