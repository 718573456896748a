"""Keys: the same wallet from the same words as everywhere else, and nothing of the key in texts."""

from __future__ import annotations

import pytest

from shared.errors import ErrorCode
from shared.signing.keys import Signer, WalletKey, checksum_address
from shared.signing.recover import recover_text
from tests.shared.signing.examples import ORDER, WALLET, refused, vectors


@pytest.mark.parametrize("vector", [v for v in vectors("wallets") if v["words"]], ids=lambda v: v["address"])
def test_words_give_the_wallet_of_ethers(vector: dict[str, str]) -> None:
    key = WalletKey.from_words(vector["words"])
    assert (key.address, key.private_key_hex()) == (vector["address"], vector["private_key"])


@pytest.mark.parametrize("vector", vectors("wallets"), ids=lambda v: v["address"])
def test_hex_gives_the_wallet_of_ethers(vector: dict[str, str]) -> None:
    assert WalletKey.from_hex(vector["private_key"]).address == vector["address"]
    assert WalletKey.from_hex(vector["private_key"][2:].upper()).address == vector["address"]
    assert checksum_address(vector["address"].lower()) == vector["address"]


@pytest.mark.parametrize("vector", vectors("texts"), ids=lambda v: ascii(v["text"][:12]))
def test_signatures_are_those_of_ethers(vector: dict[str, str]) -> None:
    keys = {v["address"]: v["private_key"] for v in vectors("wallets")}
    signer: Signer = WalletKey.from_hex(keys[vector["address"]])
    assert signer.sign_text(vector["text"]) == vector["signature"]


def test_a_created_wallet_comes_back_from_its_words() -> None:
    key, words = WalletKey.create()
    assert len(words.split()) == 12
    assert (
        WalletKey.from_words(f"  {words.upper().replace(' ', '   ')}\n").private_key_hex()
        == key.private_key_hex()
    )
    assert WalletKey.create()[0].address != key.address
    assert recover_text("hello", key.sign_text("hello")) == key.address.lower()


@pytest.mark.parametrize(
    "words",
    ["", "test", "test " * 12, "abandon " * 11 + "zoo", "abandon " * 11 + "notaword", "0x" + "11" * 32],
)
def test_wrong_words_are_refused_without_repeating_them(words: str) -> None:
    with refused(ErrorCode.INVALID_REQUEST, saying="valid phrase") as caught:
        WalletKey.from_words(words)
    assert caught is None


@pytest.mark.parametrize(
    "key", ["", "0x", "11" * 31, "0x" + "11" * 33, "zz" * 32, "00" * 32, f"{ORDER:064x}"]
)
def test_wrong_hex_keys_are_refused(key: str) -> None:
    with refused(ErrorCode.INVALID_REQUEST):
        WalletKey.from_hex(key)


def test_the_key_is_not_in_its_text_form() -> None:
    assert repr(WALLET) == f"WalletKey({WALLET.address})"
    assert WALLET.private_key_hex()[2:] not in f"{WALLET!r}{WALLET}"
