"""How a payment is shown: its outcome in a sentence that says what follows from it."""

from __future__ import annotations

from typing import Any

from gateway.billing.chains import Chain
from shared.clock import iso
from shared.contract.billing import Outcome, Payment

_TEXTS: dict[str, str] = {
    "ok": "Paid; the subscription was extended.",
    "overpaid": "Paid; the subscription was extended, and what was too much is kept as credit.",
    "underpaid": "Less than quoted: it is kept as credit; check out again and pay the rest.",
    "late": "Paid after the quote had expired: it is kept as credit; check out again to use it.",
    "no_quote": (
        "There was no open quote: what came after your first quote is kept as credit, what came before earns nothing."
    ),
    "no_payment": "This transaction brought nothing to the gateway's address.",
    "failed": "This transaction failed on the chain; nothing was paid.",
}
_WRONG = "Another asset than quoted: it is kept as credit in that asset; check out again to use it."
_FOREIGN = "A token that this gateway does not take: no credit; ask its operator to send it back."


def shown(
    row: Any, chain: Chain | None, outcome: Outcome | None = None, message: str | None = None
) -> Payment:
    """Return a payment as the contract has it; ``outcome`` and ``message`` replace the recorded ones."""
    asset = row.asset
    taken = chain is not None and asset is not None and chain.asset(asset) is not None
    return Payment(
        tx_hash=row.tx_hash,
        chain_id=row.chain_id,
        outcome=outcome or row.outcome,
        message=message or _text(row, chain, taken=taken),
        asset=asset,
        amount=row.amount,
        credited=row.credited or "0",
        quote_id=row.quote_id,
        confirmations=row.confirmations,
        confirmations_needed=chain.confirmations if chain else 0,
        at=iso(row.settled_ms or row.created_ms),
    )


def told_by_another(row: Any, chain: Chain) -> Payment:
    """Return what somebody learns who tells of another's payment: nothing that is not on the chain."""
    message = (
        "Another wallet sent this; it counts for that wallet alone. Pay from the wallet that signs in here."
    )
    return _bare(row, chain, "wrong_sender", message)


def counted_for_deleted(row: Any, chain: Chain) -> Payment:
    """Return what is told of a payment that counted for an account which was deleted since: it counts once."""
    message = "This transaction counted for an account that was deleted since; it counts once."
    return _bare(row, chain, "replayed", message)


def _bare(row: Any, chain: Chain, outcome: Outcome, message: str) -> Payment:
    return Payment(
        tx_hash=row.tx_hash,
        chain_id=row.chain_id,
        outcome=outcome,
        message=message,
        asset=None,
        amount=None,
        credited="0",
        quote_id=None,
        confirmations=row.confirmations,
        confirmations_needed=chain.confirmations,
        at=iso(row.settled_ms or row.created_ms),
    )


def _text(row: Any, chain: Chain | None, *, taken: bool) -> str:
    if row.outcome == "pending":
        needed = chain.confirmations if chain else 0
        if not row.confirmations:
            return "The transaction is in no block yet; it is checked again."
        return f"Waiting for confirmations: {row.confirmations} of {needed}."
    if row.outcome == "wrong_asset":
        return _WRONG if taken else _FOREIGN
    return _TEXTS[row.outcome]
