"""Recovering signers: equal to the reference implementation, in one spelling only."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ErrorCode
from shared.signing.keys import WalletKey
from shared.signing.recover import is_canonical, recover_text
from tests.shared.signing.examples import ORDER, WALLET, outcome, refused, spellings, vectors

SECRETS = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))


@pytest.mark.parametrize("vector", vectors("texts"), ids=lambda v: ascii(v["text"][:12]))
def test_texts_signed_by_ethers_recover(vector: dict[str, str]) -> None:
    assert recover_text(vector["text"], vector["signature"]) == vector["address"].lower()


@settings(deadline=None, max_examples=60)
@given(secret=SECRETS, text=st.text())
def test_recovery_equals_the_reference_implementation(secret: bytes, text: str) -> None:
    signature = WalletKey(secret).sign_text(text)
    reference = Account.sign_message(encode_defunct(text=text), secret)
    assert signature == "0x" + bytes(reference.signature).hex()
    assert recover_text(text, signature) == str(Account.from_key(secret).address).lower()


@settings(deadline=None, max_examples=150)
@given(
    r=st.integers(0, 2**256 - 1), s=st.integers(0, 2**256 - 1), v=st.sampled_from([27, 28]), text=st.text()
)
def test_z1_random_signatures_are_accepted_only_where_the_reference_accepts_them(
    r: int, s: int, v: int, text: str
) -> None:
    signature = f"0x{r:064x}{s:064x}{v:02x}"
    ours = outcome(lambda: recover_text(text, signature))
    if ours is ErrorCode.BAD_SIGNATURE:
        return
    assert ours == Account.recover_message(encode_defunct(text=text), signature=signature).lower()
    assert s <= ORDER // 2


@pytest.mark.parametrize("name", spellings(WALLET.sign_text("hello")))
def test_a04_a05_every_other_spelling_is_refused(name: str) -> None:
    honest = WALLET.sign_text("hello")
    other = spellings(honest)[name]
    assert other != honest
    with refused(ErrorCode.BAD_SIGNATURE):
        recover_text("hello", other)


def test_half_of_the_group_order_is_the_highest_s() -> None:
    r = "11" * 32
    assert is_canonical(f"0x{r}{ORDER // 2:064x}1b")
    assert not is_canonical(f"0x{r}{ORDER // 2 + 1:064x}1b")


def test_a_text_that_is_not_unicode_has_no_signer() -> None:
    with refused(ErrorCode.BAD_SIGNATURE):
        recover_text("\ud800", WALLET.sign_text("hello"))
