"""Signed transactions are, byte for byte, those of a well-kept library."""

from __future__ import annotations

import random
from typing import Any

import pytest
from eth_account import Account

from core_engine.components.chain import typed

KEY = "0x" + "5" * 64
PLAIN: dict[str, Any] = {
    "type": 2, "chainId": 1, "nonce": 0, "to": "0x" + "12" * 20, "value": 0, "data": "0x", "gas": 21_000,
    "maxFeePerGas": 10**9, "maxPriorityFeePerGas": 0,
}  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_it_signs_as_the_library_does(seed: int) -> None:
    made = random.Random(seed)
    length = made.choice([0, 1, 3, 55, 56, 255, 256, 70_000])
    transaction = PLAIN | {
        "chainId": made.choice([1, 127, 128, 2**40]), "nonce": made.choice([0, 1, 127, 128, 2**32]),
        "value": made.choice([0, 1, 10**18, 2**255]), "data": f"0x{made.randbytes(length).hex()}",
        "gas": made.randrange(21_000, 10**8), "maxFeePerGas": made.randrange(10**14),
        "maxPriorityFeePerGas": made.randrange(10**12),
    }  # fmt: skip
    expected = Account.sign_transaction(transaction, KEY)
    raw, tx_hash = typed.sign(transaction, bytes.fromhex(KEY[2:]))
    assert raw == bytes(expected.raw_transaction)
    assert tx_hash == bytes(expected.hash)


@pytest.mark.parametrize(
    "wrong",
    [{"type": 0}, {"to": "0x12"}, {"to": None}, {"value": -1}, {"value": 2**256}, {"gas": "1"}, {"nonce": True},
     {"data": "00"}, {"data": "0xzz"}],
)  # fmt: skip
def test_wrong_fields_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        typed.sign(PLAIN | wrong, bytes.fromhex(KEY[2:]))
    with pytest.raises(KeyError):
        typed.sign({"type": 2}, bytes.fromhex(KEY[2:]))
