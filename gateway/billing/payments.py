"""Payments: told by a transaction's hash, verified on the chain, counted once, checked again after a reorganisation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from gateway.billing import ledger
from gateway.billing.chains import Chain, Chains
from gateway.billing.payment_texts import counted_for_deleted, shown, told_by_another
from gateway.billing.settlement import Settlement
from gateway.chain.transactions import Sighting
from gateway.db import audit
from gateway.db.billing_tables import FORGOTTEN, billing_payments, billing_quotes
from gateway.db.database import Database
from shared.clock import Clock
from shared.contract.billing import Payment
from shared.errors import ErrorCode, FloworkError
from shared.ids import new_id

_log = logging.getLogger(__name__)

MOST_PENDING = 20
CHECKED_AT_ONCE = 100
UNSEEN_MS = 24 * 60 * 60 * 1000
"""A transaction that is in no block for so long is forgotten; it can be told again."""
LISTED = 200


@dataclass(frozen=True, slots=True)
class _Checked:
    row: Any
    counted_now: bool


class Payments:
    """The use cases of payments; addresses are in lower case."""

    def __init__(self, database: Database, clock: Clock, chains: Chains, settlement: Settlement) -> None:
        self._database = database
        self._clock = clock
        self._chains = chains
        self._settlement = settlement

    def submit(self, caller: str, tx_hash: str, chain_id: int | None) -> Payment:
        """Verify a transaction and count it for whoever sent it, whoever tells of it; once.

        Raises CONFLICT, NOT_FOUND or INVALID_REQUEST where it is not clear which chain is meant, RATE_LIMITED where
        too many of the caller's payments are pending. While the node does not answer, the payment stays pending.
        """
        chain = self._chain(caller, chain_id)
        tx_hash = tx_hash.lower()
        row = self._known(caller, tx_hash, chain)
        if row.state != "pending":
            return self._again(caller, row, chain)
        try:
            checked = self._check(row.id, chain, tx_hash)
        except FloworkError as error:
            _log.warning("a payment could not be checked", extra={"reason": error.message})
            return shown(row, chain, "pending", f"{error.message} The payment is kept and checked again.")
        if checked.row.state == "pending":
            return shown(checked.row, chain)
        if not checked.counted_now or checked.row.address != caller:
            return self._again(caller, checked.row, chain)
        return shown(checked.row, chain)

    def of(self, address: str) -> list[Payment]:
        """Return the latest payments of an address, newest first."""
        table = billing_payments.c
        query = select(billing_payments).where(table.address == address)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.created_ms.desc()).limit(LISTED)).all()
        return [shown(row, self._chains.find(row.chain_id)) for row in rows]

    def recheck(self) -> None:
        """Check pending payments, and settled ones until they are deep enough in the chain."""
        table = billing_payments.c
        query = select(billing_payments).where(table.state.in_(("pending", "settled")))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.created_ms).limit(CHECKED_AT_ONCE)).all()
        for row in rows:
            chain = self._chains.find(row.chain_id)
            if chain is None:
                continue
            try:
                self._check(row.id, chain, row.tx_hash)
            except FloworkError as error:
                _log.warning("a payment could not be checked", extra={"reason": error.message})

    def _chain(self, caller: str, chain_id: int | None) -> Chain:
        if not self._chains.all():
            raise FloworkError(ErrorCode.CONFLICT, "This gateway takes no payments.")
        if chain_id is not None:
            return self._chains.require(chain_id)
        table = billing_quotes.c
        newest = select(table.chain_id).where(table.address == caller).order_by(table.created_ms.desc())
        with self._database.read() as connection:
            quoted = connection.execute(newest.limit(1)).scalar()
        if quoted is not None:
            return self._chains.require(quoted)
        if len(self._chains.all()) == 1:
            return self._chains.all()[0]
        raise FloworkError(ErrorCode.INVALID_REQUEST, "On which chain? Name it by chain_id.")

    def _known(self, caller: str, tx_hash: str, chain: Chain) -> Any:
        now_ms, table = self._clock.now_ms(), billing_payments.c
        same = select(billing_payments).where(table.chain_id == chain.chain_id, table.tx_hash == tx_hash)
        with self._database.write() as connection:
            found = connection.execute(same).first()
            if found is not None:
                return found
            ledger.lock(connection, caller, now_ms)
            waiting = select(func.count()).where(table.address == caller, table.state == "pending")
            if int(connection.execute(waiting).scalar_one()) >= MOST_PENDING:
                raise FloworkError(
                    ErrorCode.RATE_LIMITED,
                    f"{MOST_PENDING} of your payments are being checked; wait for them.",
                    retry_after=60,
                )
            ledger.insert_new(
                connection,
                billing_payments,
                id=new_id(),
                chain_id=chain.chain_id,
                tx_hash=tx_hash,
                address=caller,
                state="pending",
                outcome="pending",
                confirmations=0,
                attempt=1,
                created_ms=now_ms,
            )
            return connection.execute(same).one()

    def _check(self, payment_id: str, chain: Chain, tx_hash: str) -> _Checked:
        """Look at the chain, then enter what follows in one transaction."""
        seen = self._chains_view(chain, tx_hash)
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            row = _locked(connection, payment_id)
            if row is None:
                raise FloworkError(ErrorCode.NOT_FOUND, "The payment was forgotten; tell it again.")
            if row.state == "pending":
                counted = self._count(connection, row, chain, seen, now_ms)
            else:
                counted = False
                self._guard(connection, row, chain, seen, now_ms)
            return _Checked(_locked(connection, payment_id) or row, counted)

    @staticmethod
    def _chains_view(chain: Chain, tx_hash: str) -> Sighting | None:
        return chain.transactions().look(tx_hash, chain.recipient)

    def _count(
        self, connection: Connection, row: Any, chain: Chain, seen: Sighting | None, now_ms: int
    ) -> bool:
        """Settle a payment that is deep enough; True where that happened."""
        if seen is None:
            if now_ms - row.created_ms > UNSEEN_MS and row.attempt == 1:
                connection.execute(delete(billing_payments).where(billing_payments.c.id == row.id))
            elif row.confirmations:
                _change(connection, row.id, confirmations=0, block_hash=None, block_number=None)
            return False
        block = {
            "block_number": seen.block_number,
            "block_hash": seen.block_hash,
            "confirmations": seen.confirmations,
        }
        if seen.confirmations < chain.confirmations:
            _change(connection, row.id, **block)
            return False
        payer = _payer(row.address, seen)
        ledger.lock(connection, payer, now_ms)
        if not seen.succeeded:
            _change(connection, row.id, state="final", outcome="failed", settled_ms=now_ms, **block)
            return True
        verdict = self._settlement.settle(connection, row, chain, seen, payer, now_ms)
        effective = verdict.paid or verdict.credits
        _change(
            connection,
            row.id,
            address=payer,
            state="settled" if effective else "final",
            outcome=verdict.outcome,
            asset=verdict.asset,
            amount=None if verdict.amount is None else str(verdict.amount),
            credited=str(dict(verdict.credits).get(verdict.asset or "", 0)),
            quote_id=verdict.quote_id,
            settled_ms=now_ms,
            **block,
        )
        audit.record(connection, payer, "billing_payment", row.id, now_ms)
        return True

    def _guard(
        self, connection: Connection, row: Any, chain: Chain, seen: Sighting | None, now_ms: int
    ) -> None:
        """Look after a settled payment until it is twice as deep as it had to be."""
        if row.state != "settled":
            return
        if seen is not None and seen.block_hash == row.block_hash:
            state = "final" if seen.confirmations >= 2 * chain.confirmations else "settled"
            _change(connection, row.id, state=state, confirmations=seen.confirmations)
            return
        ledger.lock(connection, row.address, now_ms)
        self._settlement.take_back(connection, row, now_ms)
        _change(
            connection,
            row.id,
            state="pending",
            outcome="pending",
            attempt=row.attempt + 1,
            credited=None,
            confirmations=0,
            block_hash=None,
            block_number=None,
            settled_ms=None,
        )
        _log.warning("a settled payment was taken back", extra={"payment": row.id})

    @staticmethod
    def _again(caller: str, row: Any, chain: Chain) -> Payment:
        if row.address == FORGOTTEN:
            return counted_for_deleted(row, chain)
        if row.address != caller:
            return told_by_another(row, chain)
        return shown(
            row,
            chain,
            "replayed",
            f"This transaction was counted before, with the outcome {row.outcome}; it counts once.",
        )


def _payer(caller: str, seen: Sighting) -> str:
    """Return who sent it: the caller if it is one of the senders, else the first one."""
    senders: Sequence[str] = [item.sender for item in seen.received]
    return caller if caller in senders or not senders else senders[0]


def _locked(connection: Connection, payment_id: str) -> Any:
    query = select(billing_payments).where(billing_payments.c.id == payment_id)
    return connection.execute(query.with_for_update()).first()


def _change(connection: Connection, payment_id: str, **values: Any) -> None:
    connection.execute(update(billing_payments).where(billing_payments.c.id == payment_id).values(**values))
