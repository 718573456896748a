"""Amounts are exact, however large or small."""

from __future__ import annotations

import pytest

from core_engine.components.chain.amounts import coins, wei


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("0.05", 5 * 10**16),
        ("1", 10**18),
        ("0.000000000000000001", 1),
        ("100", 10**20),
        (
            "123456789012345678901234567890.123456789012345678",
            123456789012345678901234567890123456789012345678,
        ),
    ],
)
def test_both_directions_agree(text: str, amount: int) -> None:
    assert (wei(text), coins(amount)) == (amount, text)
    assert wei(f"{text}.0" if "." not in text else text) == amount
