"""The files of plans and chains: what is wrong in them is said at the start."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.billing.chains import Asset, Chains
from gateway.billing.plans import Plans
from shared.errors import ErrorCode, FloworkError

FREE = {
    "id": "free", "name": "Free", "description": "", "prices": {},
    "limits": {"engines": 1, "shares": 1, "relay_messages_per_day": 1, "share_retention_days": 1},
}  # fmt: skip
CHAIN = {
    "chain_id": 1, "name": "One", "rpc_url": "https://node.example", "recipient": "0x" + "A" * 40,
    "assets": [{"symbol": "ETH", "decimals": 18}],
}  # fmt: skip


def test_the_shipped_plans_are_free_pro_and_team() -> None:
    plans = Plans.load(None)
    assert [plan.id for plan in plans.all()] == ["free", "pro", "team"]
    assert plans.free.prices == {}
    assert [plans.rank(name) for name in ("free", "team", "gone")] == [0, 2, -1]
    above = plans.higher("free")
    assert above is not None
    assert above.id == "pro"
    assert plans.higher("team") is None


@pytest.mark.parametrize(
    ("plans", "word"),
    [
        ([], "plans"),
        ([FREE, FREE], "same id"),
        ([FREE | {"prices": {"ETH": "1"}}], "without price"),
        ([FREE, FREE | {"id": "pro", "prices": {"ETH": "-1"}}], "prices.ETH"),
        ([FREE, FREE | {"id": "pro", "prices": {"ETH": "NaN"}}], "prices.ETH"),
        ([FREE | {"limits": {"engines": -1}}], "limits.engines"),
        ([FREE | {"colour": "red"}], "colour"),
    ],
)
def test_wrong_plans_are_refused(tmp_path: Path, plans: list, word: str) -> None:
    path = tmp_path / "plans.json"
    path.write_text(json.dumps({"plans": plans}))
    with pytest.raises(FloworkError, match=word) as refused:
        Plans.load(path)
    assert refused.value.code is ErrorCode.CONFIGURATION
    assert "GATEWAY_PLANS" in refused.value.message


@pytest.mark.parametrize(
    ("chains", "word"),
    [
        ([CHAIN, CHAIN], "twice"),
        ([CHAIN | {"recipient": "0x12"}], "recipient"),
        ([CHAIN | {"rpc_url": "file:///etc/passwd"}], "rpc_url"),
        ([CHAIN | {"confirmations": 0}], "confirmations"),
        ([CHAIN | {"assets": CHAIN["assets"] * 2}], "asset twice"),
    ],
)
def test_wrong_chains_are_refused(tmp_path: Path, chains: list, word: str) -> None:
    path = tmp_path / "chains.json"
    path.write_text(json.dumps({"chains": chains}))
    with pytest.raises(FloworkError, match=word) as refused:
        Chains.load(path)
    assert refused.value.code is ErrorCode.CONFIGURATION
    with pytest.raises(FloworkError, match="cannot be read"):
        Chains.load(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("decimals", "amount", "units"),
    [(18, "0.004", 4 * 10**15), (6, "12", 12_000_000), (0, "3", 3), (2, "0.001", None), (36, "1", 10**36)],
)
def test_amounts_are_exact(decimals: int, amount: str, units: int | None) -> None:
    asset = Asset(symbol="X", decimals=decimals)
    assert asset.units(Decimal(amount)) == units
    if units is not None:
        assert asset.whole(units) == amount
        assert asset.whole(-units) == f"-{amount}"
