"""Claim proofs: made from the code, good for one address and one engine."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from shared.ids import new_claim_code
from shared.signing.claims import claim_proof, verify_claim
from tests.shared.signing.examples import ENGINE, OTHER, WALLET


def test_the_proof_is_the_documented_hmac() -> None:
    text = f"flowork_claim|{WALLET.address.lower()}|{ENGINE}"
    expected = hmac.new(b"the code", text.encode(), hashlib.sha256).hexdigest()
    assert claim_proof("the code", WALLET.address, ENGINE) == expected


def test_a_proof_holds_for_its_own_code_address_and_engine_only() -> None:
    code = new_claim_code()
    proof = claim_proof(code, WALLET.address, ENGINE)
    assert verify_claim(code, WALLET.address.lower(), ENGINE, proof)
    assert not verify_claim(new_claim_code(), WALLET.address, ENGINE, proof)
    assert not verify_claim(code, OTHER.address, ENGINE, proof)
    assert not verify_claim(code, WALLET.address, "engine-2", proof)


@pytest.mark.parametrize("proof", ["", "0" * 64, "é" * 64, "\ud800"])
def test_a_malformed_proof_is_false(proof: str) -> None:
    assert not verify_claim("code", WALLET.address, ENGINE, proof)


def test_an_engine_without_a_code_cannot_be_claimed() -> None:
    assert not verify_claim("", WALLET.address, ENGINE, claim_proof("", WALLET.address, ENGINE))
