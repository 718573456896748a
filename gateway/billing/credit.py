"""Credit as its owner sees it."""

from __future__ import annotations

from sqlalchemy import select

from gateway.billing import ledger
from gateway.db.billing_tables import billing_credits
from gateway.db.database import Database
from shared.clock import iso
from shared.contract.billing import CreditBalance, CreditItem, Credits

LISTED = 200


class Credit:
    """Shows balances and the entries behind them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, address: str) -> Credits:
        """Return the credit of an address."""
        query = select(billing_credits).where(billing_credits.c.address == address)
        with self._database.read() as connection:
            sums = ledger.balances(connection, address)
            rows = connection.execute(query.order_by(billing_credits.c.id.desc()).limit(LISTED)).all()
        return Credits(
            balances=[
                CreditBalance(chain_id=chain_id, asset=asset, amount=str(amount))
                for (chain_id, asset), amount in sums.items()
                if amount
            ],
            entries=[
                CreditItem(
                    chain_id=row.chain_id,
                    asset=row.asset,
                    amount=row.amount,
                    reason=row.reason,
                    at=iso(row.at_ms),
                )
                for row in rows
            ],
        )
