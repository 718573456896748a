"""Quotes: what is to be sent where, with credit taken off first."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import Connection, func, insert, select

from gateway.billing import ledger
from gateway.billing.chains import Asset, Chain, Chains
from gateway.billing.plans import Plan, Plans
from gateway.billing.settlement import Settlement
from gateway.db import audit
from gateway.db.billing_tables import billing_quotes
from gateway.db.database import Database
from shared.clock import Clock, iso
from shared.contract.billing import CheckoutBody, Quote
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id
from shared.signing.keys import checksum_address

MOST_OPEN = 20
MOST_REFERENCE = 9999
EXPIRED_AT_ONCE = 200


class Checkout:
    """Makes quotes and closes those that nobody paid."""

    def __init__(  # noqa: PLR0913, PLR0917 - its parts
        self,
        database: Database,
        clock: Clock,
        plans: Plans,
        chains: Chains,
        settlement: Settlement,
        quote_ms: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._plans = plans
        self._chains = chains
        self._settlement = settlement
        self._quote_ms = quote_ms

    def quote(self, address: str, wanted: CheckoutBody) -> Quote:
        """Offer a plan. One that credit covers whole is paid at once, and ``status`` says so.

        Raises CONFLICT where the gateway takes no payments or too many quotes are open, NOT_FOUND for an unknown plan
        or chain, INVALID_REQUEST for an asset in which the plan has no price.
        """
        if not self._chains.all():
            raise FloworkError(ErrorCode.CONFLICT, "This gateway takes no payments.")
        plan = self._plan(wanted.plan)
        chain = self._chains.require(wanted.chain_id)
        asset, price = _price(plan, chain, wanted.asset, wanted.months)
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            ledger.lock(connection, address, now_ms)
            self._require_few(connection, address, now_ms)
            quote_id = self._enter(connection, address, wanted, chain, asset, price, now_ms)
            row = _find(connection, quote_id)
            if row.amount == "0":
                self._settlement.complete(connection, row, chain, f"quote:{quote_id}", None, now_ms)
                row = _find(connection, quote_id)
            audit.record(connection, address, "billing_checkout", quote_id, now_ms)
        return _shown(row, asset)

    def expire(self) -> None:
        """Close the quotes that can no longer be paid and give their credit back."""
        now_ms, table = self._clock.now_ms(), billing_quotes.c
        query = select(table.id, table.address).where(table.status == "open", table.expires_ms <= now_ms)
        with self._database.read() as connection:
            overdue = connection.execute(query.order_by(table.expires_ms).limit(EXPIRED_AT_ONCE)).all()
        for found in overdue:
            with self._database.write() as connection:
                ledger.lock(connection, found.address, now_ms)
                row = _find(connection, found.id)
                if row.status == "open":
                    self._settlement.close(connection, row, now_ms)

    def _plan(self, plan_id: str) -> Plan:
        plan = self._plans.find(plan_id)
        if plan is None or not plan.prices:
            offered = ", ".join(item.id for item in self._plans.all() if item.prices)
            raise FloworkError(
                ErrorCode.NOT_FOUND, f"There is no plan {plan_id} to buy; there are {offered}."
            )
        return plan

    def _require_few(self, connection: Connection, address: str, now_ms: int) -> None:
        table = billing_quotes.c
        query = select(func.count()).where(
            table.address == address, table.status == "open", table.expires_ms > now_ms
        )
        if int(connection.execute(query).scalar_one()) >= MOST_OPEN:
            raise FloworkError(
                ErrorCode.CONFLICT, f"You have {MOST_OPEN} open quotes; pay one or wait until one expires."
            )

    def _enter(  # noqa: PLR0913, PLR0917 - the columns of the row
        self,
        connection: Connection,
        address: str,
        wanted: CheckoutBody,
        chain: Chain,
        asset: Asset,
        price: int,
        now_ms: int,
    ) -> str:
        quote_id = new_id()
        credit = ledger.balances(connection, address).get((chain.chain_id, asset.symbol), 0)
        used = min(max(credit, 0), price)
        reference = 0 if used == price else _free_reference(connection, address, price - used)
        if used:
            ledger.add_credit(
                connection,
                address=address,
                chain_id=chain.chain_id,
                asset=asset.symbol,
                amount=-used,
                reason="used for a plan",
                source=f"quote:{quote_id}:used",
                now_ms=now_ms,
            )
        connection.execute(
            insert(billing_quotes).values(
                id=quote_id,
                address=address,
                plan=wanted.plan,
                months=wanted.months,
                chain_id=chain.chain_id,
                asset=asset.symbol,
                recipient=chain.recipient,
                amount=str(price - used + reference),
                credit_used=str(used),
                reference=reference,
                status="open",
                created_ms=now_ms,
                expires_ms=now_ms + self._quote_ms,
            )
        )
        return quote_id


def _price(plan: Plan, chain: Chain, symbol: str, months: int) -> tuple[Asset, int]:
    asset, price = chain.asset(symbol), plan.prices.get(symbol)
    if asset is None or price is None:
        taken = [item.symbol for item in chain.assets if item.symbol in plan.prices]
        raise FloworkError(
            ErrorCode.INVALID_REQUEST,
            f"The plan {plan.name} cannot be paid in {symbol} on {chain.name}; "
            f"it can be in {', '.join(taken) or 'nothing'}.",
        )
    units = asset.units(price * months)
    if units is None:
        raise FloworkError(
            ErrorCode.CONFLICT, f"The price of {plan.name} has more decimals than {symbol} on {chain.name}."
        )
    return asset, units


def _free_reference(connection: Connection, address: str, amount: int) -> int:
    """Return a small number that makes the amount different from those of the payer's other quotes."""
    query = select(billing_quotes.c.amount).where(billing_quotes.c.address == address)
    taken = set(connection.execute(query.order_by(billing_quotes.c.created_ms.desc()).limit(1000)).scalars())
    while True:
        reference = secrets.randbelow(MOST_REFERENCE) + 1
        if str(amount + reference) not in taken:
            return reference


def _find(connection: Connection, quote_id: str) -> Any:
    return connection.execute(select(billing_quotes).where(billing_quotes.c.id == quote_id)).one()


def _shown(row: Any, asset: Asset) -> Quote:
    return Quote(
        id=row.id,
        plan=row.plan,
        months=row.months,
        payer=checksum_address(row.address),
        recipient=checksum_address(row.recipient),
        amount=row.amount,
        asset=row.asset,
        decimals=asset.decimals,
        contract=checksum_address(asset.contract) if asset.contract else None,
        chain_id=row.chain_id,
        credit_used=row.credit_used,
        reference=row.reference,
        status=row.status,
        expires_at=iso(row.expires_ms),
    )
