"""What a confirmed transaction means for its payer: decided here, without any database or chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.billing.chains import Chain
from gateway.chain.transactions import Received
from shared.contract.billing import Outcome

SKEW_MS = 5 * 60 * 1000
"""How far a chain's clock may be behind the gateway's."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A quote of the payer on the chain in question that is not paid yet."""

    id: str
    asset: str
    amount: int
    created_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome; ``quote_id`` is the quote that it is about, ``paid`` whether that quote is paid by it.

    ``credits`` are base units by symbol that the payer keeps; ``asset`` is a symbol, or the address of a token that is
    not taken.
    """

    outcome: Outcome
    quote_id: str | None = None
    paid: bool = False
    credits: tuple[tuple[str, int], ...] = ()
    asset: str | None = None
    amount: int | None = None


def judge(
    chain: Chain, received: Iterable[Received], offers: Sequence[Offer], block_ms: int, *, known: bool
) -> Verdict:
    """Judge what one sender sent in one transaction.

    ``offers`` are oldest first; ``known`` tells whether the payer had asked for a quote before the payment at all:
    what came earlier was not meant for this gateway and earns nothing.
    """
    sums, foreign = _sums(chain, received)
    if not sums:
        if foreign is None:
            return Verdict("no_payment")
        return Verdict("wrong_asset", asset=foreign[0], amount=foreign[1])
    asset, amount = next(iter(sums.items()))
    if not known:
        return Verdict("no_quote", asset=asset, amount=amount)
    valid = [o for o in offers if o.created_ms <= block_ms + SKEW_MS and block_ms <= o.expires_ms]
    offer = _chosen(valid, sums)
    if offer is None:
        outcome: Outcome = "wrong_asset" if valid else "late" if offers else "no_quote"
        quote = (valid or offers)[-1].id if offers else None
        return Verdict(outcome, quote, credits=tuple(sums.items()), asset=asset, amount=amount)
    return _weighed(offer, sums)


def _chosen(valid: Sequence[Offer], sums: dict[str, int]) -> Offer | None:
    exact = [offer for offer in valid if sums.get(offer.asset) == offer.amount]
    fitting = exact or [offer for offer in valid if offer.asset in sums]
    return fitting[-1] if fitting else None


def _weighed(offer: Offer, sums: dict[str, int]) -> Verdict:
    amount = sums[offer.asset]
    others = tuple((asset, extra) for asset, extra in sums.items() if asset != offer.asset)
    if amount < offer.amount:
        kept = ((offer.asset, amount), *others)
        return Verdict("underpaid", offer.id, credits=kept, asset=offer.asset, amount=amount)
    over = amount - offer.amount
    kept = ((offer.asset, over), *others) if over else others
    outcome: Outcome = "overpaid" if kept else "ok"
    return Verdict(outcome, offer.id, paid=True, credits=kept, asset=offer.asset, amount=amount)


def _sums(chain: Chain, received: Iterable[Received]) -> tuple[dict[str, int], tuple[str, int] | None]:
    sums: dict[str, int] = {}
    foreign: tuple[str, int] | None = None
    for item in received:
        asset = chain.asset_at(item.contract)
        if asset is not None:
            sums[asset.symbol] = sums.get(asset.symbol, 0) + item.amount
        else:
            foreign = (item.contract or "coin", item.amount)
    return sums, foreign
