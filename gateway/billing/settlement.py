"""Carries out a verdict, and takes it back: credit, subscription, invoice and notice in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.billing import invoices, ledger
from gateway.billing.chains import Chain
from gateway.billing.plans import MONTH_MS, Plans
from gateway.billing.verdicts import SKEW_MS, Offer, Verdict, judge
from gateway.chain.transactions import Sighting
from gateway.db.billing_tables import billing_quotes
from shared.clock import iso
from shared.signing.keys import checksum_address

_REASONS = {
    "overpaid": "more was paid than asked for",
    "underpaid": "less was paid than asked for",
    "wrong_asset": "paid in another asset than quoted",
    "late": "paid after the quote had expired",
    "no_quote": "paid without a quote",
}


class Settlement:
    """What payments and quotes do to an account. Every method needs the account's lock."""

    def __init__(self, plans: Plans, seller: str) -> None:
        self._plans = plans
        self._seller = seller

    def settle(  # noqa: PLR0913, PLR0917 - what there is to judge
        self, connection: Connection, payment: Any, chain: Chain, seen: Sighting, payer: str, now_ms: int
    ) -> Verdict:
        """Judge a confirmed payment and enter what follows from it."""
        verdict = self._judge(connection, chain, seen, payer)
        source = f"payment:{payment.id}:{payment.attempt}"
        quote = _quote(connection, verdict.quote_id)
        if verdict.paid and quote is not None and not self._retake(connection, quote, source, now_ms):
            kept = ((quote.asset, verdict.amount or 0),)
            verdict = Verdict("late", quote.id, credits=kept, asset=verdict.asset, amount=verdict.amount)
        for asset, amount in verdict.credits:
            ledger.add_credit(
                connection,
                address=payer,
                chain_id=chain.chain_id,
                asset=asset,
                amount=amount,
                reason=_REASONS[verdict.outcome],
                source=f"{source}:{asset}",
                now_ms=now_ms,
            )
        if quote is not None and verdict.paid:
            self.complete(connection, quote, chain, source, payment.tx_hash, now_ms)
        elif quote is not None and quote.status == "open" and verdict.outcome == "underpaid":
            self.close(connection, quote, now_ms)
        return verdict

    def complete(  # noqa: PLR0913, PLR0917 - a purchase has that many sides
        self, connection: Connection, quote: Any, chain: Chain, source: str, tx_hash: str | None, now_ms: int
    ) -> None:
        """Mark a quote as paid, extend the subscription and write the invoice."""
        _set_status(connection, quote.id, "paid")
        length = quote.months * MONTH_MS
        start, end = ledger.extend(
            connection, self._plans, address=quote.address, plan=quote.plan, length_ms=length, now_ms=now_ms
        )
        content = self._invoice(quote, chain, tx_hash) | {"from": iso(start)[:10], "to": iso(end)[:10]}
        number = invoices.issue(connection, quote.address, source, content, now_ms)
        ledger.notify(
            connection,
            address=quote.address,
            kind="paid",
            message=f"Your plan {content['name']} is paid until {iso(end)}; see invoice {number}.",
            source=f"{source}:paid",
            now_ms=now_ms,
        )

    def close(self, connection: Connection, quote: Any, now_ms: int) -> None:
        """Close a quote that was not paid and give its credit back."""
        _set_status(connection, quote.id, "closed")
        used, returned = int(quote.credit_used), f"quote:{quote.id}:returned:{now_ms}"
        if used:
            self._book(connection, quote, used, "the quote was not paid", returned, now_ms)

    def take_back(self, connection: Connection, payment: Any, now_ms: int) -> None:
        """Undo a settled payment whose block the chain gave up."""
        source = f"payment:{payment.id}:{payment.attempt}"
        ledger.reverse_credits(connection, f"{source}:", now_ms)
        quote = _quote(connection, payment.quote_id)
        if quote is not None and quote.status == "paid":
            _set_status(connection, quote.id, "open")
            ledger.shorten(
                connection,
                self._plans,
                address=quote.address,
                plan=quote.plan,
                length_ms=quote.months * MONTH_MS,
                now_ms=now_ms,
            )
            invoices.take_back(connection, quote.address, source, now_ms)
        ledger.notify(
            connection,
            address=payment.address,
            kind="reorganised",
            message=f"The chain gave up the block of your payment {payment.tx_hash}; it is checked again.",
            source=f"{source}:reorganised",
            now_ms=now_ms,
        )

    def _judge(self, connection: Connection, chain: Chain, seen: Sighting, payer: str) -> Verdict:
        rows = _quotes(connection, payer, chain.chain_id)
        known = any(row.created_ms <= seen.block_ms + SKEW_MS for row in rows)
        offers = [
            Offer(row.id, row.asset, int(row.amount), row.created_ms, row.expires_ms)
            for row in rows
            if row.status != "paid" and row.recipient == chain.recipient
        ]
        received = [item for item in seen.received if item.sender == payer]
        return judge(chain, received, offers, seen.block_ms, known=known)

    def _retake(self, connection: Connection, quote: Any, source: str, now_ms: int) -> bool:
        """Take the credit of a quote that was closed meanwhile again; False where it was spent elsewhere."""
        used = int(quote.credit_used)
        if quote.status != "closed" or not used:
            return True
        present = ledger.balances(connection, quote.address).get((quote.chain_id, quote.asset), 0)
        if present < used:
            return False
        self._book(connection, quote, -used, "used for a plan", f"quote:{quote.id}:retaken:{source}", now_ms)
        return True

    def _book(  # noqa: PLR0913, PLR0917 - the columns of the entry
        self, connection: Connection, quote: Any, amount: int, reason: str, source: str, now_ms: int
    ) -> None:
        ledger.add_credit(
            connection,
            address=quote.address,
            chain_id=quote.chain_id,
            asset=quote.asset,
            amount=amount,
            reason=reason,
            source=source,
            now_ms=now_ms,
        )

    def _invoice(self, quote: Any, chain: Chain, tx_hash: str | None) -> dict[str, Any]:
        plan, asset = self._plans.find(quote.plan), chain.asset(quote.asset)
        paid, credit = int(quote.amount), int(quote.credit_used)

        def whole(units: int) -> str:
            return asset.whole(units) if asset else str(units)

        return {
            "seller": self._seller,
            "buyer": checksum_address(quote.address),
            "plan": quote.plan,
            "name": plan.name if plan else quote.plan,
            "months": quote.months,
            "chain_id": quote.chain_id,
            "asset": quote.asset,
            "total": whole(paid + credit),
            "paid": whole(paid),
            "credit": whole(credit),
            "tx_hash": tx_hash,
            "corrects": None,
        }


def _quote(connection: Connection, quote_id: str | None) -> Any:
    if quote_id is None:
        return None
    return connection.execute(select(billing_quotes).where(billing_quotes.c.id == quote_id)).first()


def _quotes(connection: Connection, address: str, chain_id: int) -> Sequence[Any]:
    table = billing_quotes.c
    query = select(billing_quotes).where(table.address == address, table.chain_id == chain_id)
    return connection.execute(query.order_by(table.created_ms, table.id)).all()


def _set_status(connection: Connection, quote_id: str, status: str) -> None:
    connection.execute(update(billing_quotes).where(billing_quotes.c.id == quote_id).values(status=status))
