"""What a transaction means: no unit of an asset is lost, and none appears, whatever is sent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.billing.chains import Asset, Chain
from gateway.billing.verdicts import SKEW_MS, Offer, judge
from gateway.chain.transactions import Received

TOKEN = "0x" + "7" * 40
CHAIN = Chain(
    chain_id=1,
    name="One",
    rpc_url="http://node",
    recipient="0x" + "1" * 40,
    assets=[Asset(symbol="ETH", decimals=18), Asset(symbol="USDX", decimals=6, contract=TOKEN)],
)
AMOUNTS = st.one_of(st.integers(1, 5), st.integers(1, 2**255))
RECEIVED = st.lists(
    st.builds(Received, st.just("0xa"), st.sampled_from([None, TOKEN, "0xforeign"]), AMOUNTS), max_size=4
)
OFFERS = st.lists(
    st.builds(
        Offer,
        st.uuids().map(str),
        st.sampled_from(["ETH", "USDX"]),
        AMOUNTS,
        st.integers(0, 50),
        st.integers(50, 99),
    ),
    max_size=4,
)


@given(RECEIVED, OFFERS, st.integers(0, 120))
def test_everything_that_came_is_either_the_price_or_credit(
    received: list[Received], offers: list[Offer], block: int
) -> None:
    verdict = judge(CHAIN, received, offers, block, known=True)
    came: dict[str, int] = {}
    for item in received:
        asset = CHAIN.asset_at(item.contract)
        if asset:
            came[asset.symbol] = came.get(asset.symbol, 0) + item.amount
    kept = dict(verdict.credits)
    if verdict.paid:
        offer = next(item for item in offers if item.id == verdict.quote_id)
        kept[offer.asset] = kept.get(offer.asset, 0) + offer.amount
        assert offer.created_ms <= block + SKEW_MS
        assert block <= offer.expires_ms
    assert kept == came
    assert all(amount > 0 for amount in kept.values())
    assert verdict.paid == (verdict.outcome in {"ok", "overpaid"})


@given(RECEIVED, OFFERS, st.integers(0, 120))
def test_a_payer_who_never_asked_earns_nothing(
    received: list[Received], offers: list[Offer], block: int
) -> None:
    verdict = judge(CHAIN, received, offers, block, known=False)
    assert (verdict.paid, verdict.credits) == (False, ())


def test_the_exact_quote_is_taken_before_a_newer_one() -> None:
    offers = [Offer("old", "ETH", 7, 0, 99), Offer("new", "ETH", 5, 1, 99)]
    verdict = judge(CHAIN, [Received("0xa", None, 7)], offers, 10, known=True)
    assert (verdict.outcome, verdict.quote_id) == ("ok", "old")
    verdict = judge(CHAIN, [Received("0xa", None, 8)], offers, 10, known=True)
    assert (verdict.outcome, verdict.quote_id, verdict.credits) == ("overpaid", "new", (("ETH", 3),))
