"""Grants as the gateway judges them before it keeps them: what they say, who signed, how long they hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.resources.engine_shares.grants import (
    as_stored,
    needs_grant,
    proposed_text,
    read_share_grant,
    stored_grant,
)
from gateway.resources.engine_shares.queries import ShareRow
from shared.contract.base import Role
from shared.contract.sharing import SignedWord
from shared.errors import FloworkError
from shared.signing.grants import Grant, SignedGrant, grant_text, read_grant_text, sign_grant
from shared.signing.keys import WalletKey

OWNER, GUEST, OTHER = (WalletKey.from_hex(digit * 64) for digit in "123")
NOW = 1_700_000_000_000
ENGINE = "engine-1"
GRANT = Grant(ENGINE, GUEST.address, Role.RUNNER, 1, NOW + 1)
ROW = ShareRow(ENGINE, GUEST.address.lower(), "runner", None, 1, NOW)


def word(grant: Grant = GRANT, by: WalletKey = OWNER) -> SignedWord:
    return SignedWord(text=grant_text(grant), signature=by.sign_text(grant_text(grant)))


def read(given: SignedWord) -> SignedGrant:
    return read_share_grant(
        given, engine_id=ENGINE, owner=OWNER.address, guest=GUEST.address, role="runner", now_ms=NOW
    )


def test_what_is_proposed_ends_after_a_year_of_365_days() -> None:
    proposed = read_grant_text(proposed_text(replace(ROW, role="admin"), 7, NOW))
    assert (proposed.engine, proposed.guest.lower(), proposed.role) == (ENGINE, ROW.guest, Role.ADMIN)
    assert (proposed.epoch, proposed.exp, proposed.preset) == (7, NOW + 31_536_000_000, None)


@pytest.mark.parametrize("epoch", [1, 2, 9])
def test_the_owners_word_for_this_share_is_taken_whatever_its_epoch(epoch: int) -> None:
    assert read(word(replace(GRANT, epoch=epoch))).grant.epoch == epoch


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (replace(GRANT, engine="engine-2"), "INVALID_REQUEST"),
        (replace(GRANT, guest=OTHER.address), "INVALID_REQUEST"),
        (replace(GRANT, role=Role.ADMIN), "INVALID_REQUEST"),
        (replace(GRANT, preset="one"), "INVALID_REQUEST"),
        (replace(GRANT, exp=NOW), "INVALID_REQUEST"),
        (replace(GRANT, exp=NOW - 1), "INVALID_REQUEST"),
    ],
)
def test_another_word_of_the_owner_is_refused(wrong: Grant, code: str) -> None:
    with pytest.raises(FloworkError) as caught:
        read(word(wrong))
    assert caught.value.code.value == code


def test_the_word_of_somebody_else_is_refused() -> None:
    with pytest.raises(FloworkError) as caught:
        read(word(by=GUEST))
    assert caught.value.code.value == "BAD_SIGNATURE"


def test_a_grant_is_kept_as_the_engine_reads_it() -> None:
    kept = stored_grant(replace(ROW, signed_grant=as_stored(sign_grant(OWNER, GRANT))))
    assert kept is not None
    assert kept.model_dump() == sign_grant(OWNER, GRANT).as_wire()
    assert stored_grant(ROW) is None


@pytest.mark.parametrize(
    ("role", "exp", "needed"),
    [
        ("reader", None, False),
        ("reader", NOW - 1, False),
        ("runner", None, True),
        ("runner", NOW - 1, True),
        ("runner", NOW, True),
        ("runner", NOW + 1, False),
        ("admin", NOW + 1, False),
    ],
)
def test_who_is_more_than_a_reader_needs_a_grant_that_holds(role: str, exp: int | None, needed: bool) -> None:
    signed = None if exp is None else as_stored(sign_grant(OWNER, replace(GRANT, exp=exp)))
    assert needs_grant(replace(ROW, role=role, signed_grant=signed), NOW) is needed
