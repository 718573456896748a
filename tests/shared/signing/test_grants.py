"""Grants: signed by the owner, for one engine, until revoked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.contract.base import Role
from shared.errors import ErrorCode
from shared.signing.grants import (
    Grant,
    SignedEpoch,
    SignedGrant,
    grant_text,
    read_grant,
    read_grant_text,
    select_grants,
    sign_epoch,
    sign_grant,
    verify_epoch,
    verify_grant,
)
from tests.shared.signing.examples import (
    ENGINE,
    NOW,
    OTHER,
    SECONDS,
    SESSION,
    WALLET,
    frame,
    refused,
    verifier,
)

GRANT = Grant(engine=ENGINE, guest=OTHER.address, role=Role.RUNNER, epoch=3, exp=NOW + 1000, preset="Laporan")


def judge(signed: SignedGrant, *, engine: str = ENGINE, highest: int = 3, now_ms: int = NOW) -> Grant:
    return verify_grant(signed, engine_id=engine, owner=WALLET.address, highest_epoch=highest, now_ms=now_ms)


def test_the_text_says_everything() -> None:
    assert grant_text(GRANT) == (
        "Flowork grant, version 1\n"
        "Engine: engine-1\n"
        f"Guest: {OTHER.address}\n"
        "Role: runner\n"
        'Preset: "Laporan"\n'
        "Epoch: 3\n"
        "Expires: 2025-12-17T19:33:21.123Z"
    )
    assert "Preset: *\n" in grant_text(replace(GRANT, preset=None))
    assert 'Preset: "*"\n' in grant_text(replace(GRANT, preset="*"))


def test_a_grant_of_the_owner_holds() -> None:
    signed = sign_grant(WALLET, GRANT)
    assert judge(signed) == GRANT
    assert judge(signed, highest=0) == GRANT
    assert read_grant(signed.as_wire()) == signed


@pytest.mark.parametrize(
    "change",
    [
        {"guest": SESSION.address},
        {"role": Role.ADMIN},
        {"preset": None},
        {"preset": "Laporan "},
        {"epoch": 4},
        {"exp": NOW + 2000},
    ],
)
def test_a27_a_grant_the_gateway_altered_is_refused(change: dict[str, Any]) -> None:
    signed = sign_grant(WALLET, GRANT)
    with refused(ErrorCode.BAD_SIGNATURE):
        judge(SignedGrant(replace(GRANT, **change), signed.signature))


def test_a27_a_grant_the_gateway_invented_is_refused() -> None:
    with refused(ErrorCode.BAD_SIGNATURE):
        judge(sign_grant(OTHER, GRANT))


def test_a27_a_revoked_grant_replayed_by_the_gateway_is_refused() -> None:
    with refused(ErrorCode.FORBIDDEN, saying="revoked"):
        judge(sign_grant(WALLET, GRANT), highest=4)


def test_a_grant_for_another_engine_is_refused() -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        judge(sign_grant(WALLET, GRANT), engine="engine-2")
    moved = SignedGrant(replace(GRANT, engine="engine-2"), sign_grant(WALLET, GRANT).signature)
    with refused(ErrorCode.BAD_SIGNATURE):
        judge(moved, engine="engine-2")


def test_an_expired_grant_is_refused() -> None:
    with refused(ErrorCode.STALE):
        judge(sign_grant(WALLET, GRANT), now_ms=NOW + 1000)


def test_of_the_offered_grants_those_hold_that_the_owner_signed_last() -> None:
    current = [replace(GRANT, epoch=5), replace(GRANT, epoch=5, guest=SESSION.address, preset=None)]
    offered = [
        sign_grant(WALLET, GRANT),
        *(sign_grant(WALLET, grant) for grant in current),
        sign_grant(WALLET, replace(GRANT, epoch=5, exp=NOW)),
        sign_grant(OTHER, replace(GRANT, epoch=9)),
        sign_grant(WALLET, replace(GRANT, epoch=9, engine="engine-2")),
        SignedGrant(replace(GRANT, epoch=9), "0x"),
        SignedGrant(replace(GRANT, guest="me"), sign_grant(WALLET, GRANT).signature),
    ]
    for order in (offered, offered[::-1]):
        chosen = select_grants(order, engine_id=ENGINE, owner=WALLET.address, highest_epoch=2, now_ms=NOW)
        assert chosen.epoch == 5
        assert set(chosen.grants) == set(current)
    later = select_grants(offered, engine_id=ENGINE, owner=WALLET.address, highest_epoch=6, now_ms=NOW)
    assert (later.grants, later.epoch) == ((), 6)
    none = select_grants([], engine_id=ENGINE, owner=WALLET.address, highest_epoch=0, now_ms=NOW)
    assert (none.grants, none.epoch) == ((), 0)


def test_an_owner_ends_all_grants_by_an_epoch() -> None:
    signed = sign_epoch(WALLET, ENGINE, 7)
    assert verify_epoch(signed, engine_id=ENGINE, owner=WALLET.address.lower()) == 7
    with refused(ErrorCode.UNAUTHENTICATED):
        verify_epoch(signed, engine_id="engine-2", owner=WALLET.address)
    with refused(ErrorCode.BAD_SIGNATURE):
        verify_epoch(signed, engine_id=ENGINE, owner=OTHER.address)
    with refused(ErrorCode.BAD_SIGNATURE):
        verify_epoch(SignedEpoch(ENGINE, 8, signed.signature), engine_id=ENGINE, owner=WALLET.address)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u202egnp.exe", r'"\u202egnp.exe"'),
        ("pay\u200bpal", r'"pay\u200bpal"'),
        ("\u0440aypal", r'"\u0440aypal"'),
        ("x\nRole: admin", r'"x\nRole: admin"'),
        ("x\u2028y", r'"x\u2028y"'),
        ("e\u0301", r'"e\u0301"'),
        ("\u00e9", r'"\u00e9"'),
        ('a"b\\', r'"a\"b\\"'),
        ("\x7f", r'"\u007f"'),
    ],
)
def test_a15_names_that_deceive_the_eye_are_shown_by_code_points(name: str, shown: str) -> None:
    text = grant_text(replace(GRANT, preset=name))
    assert f"\nPreset: {shown}\nEpoch: 3\n" in text
    assert text.isascii()
    assert len(text.split("\n")) == 7


def test_a15_names_that_look_alike_are_different_grants() -> None:
    names = ["paypal", "\u0440aypal", "pay\u200bpal", "\u202epaypal", "\u00e9", "e\u0301"]
    assert len({grant_text(replace(GRANT, preset=name)) for name in names}) == len(names)


@pytest.mark.parametrize(
    "change",
    [
        {"role": Role.OWNER},
        {"guest": "me"},
        {"epoch": 0},
        {"epoch": 2**53 + 1},
        {"exp": 0},
        {"exp": 253_402_300_800_000},
        {"exp": 10**18},
        {"engine": "a\nRole: admin"},
        {"engine": "engin\u0435"},
    ],
)
def test_what_cannot_be_granted_is_not_signed(change: dict[str, Any]) -> None:
    with refused(ErrorCode.INVALID_REQUEST):
        sign_grant(WALLET, replace(GRANT, **change))


@pytest.mark.parametrize(
    "change", [{"epoch": 1}, {"epoch": 2**53}, {"exp": 1}, {"exp": 253_402_300_799_999}, {"preset": ""}]
)
def test_the_bounds_of_a_grant(change: dict[str, Any]) -> None:
    assert sign_grant(WALLET, replace(GRANT, **change)).grant == replace(GRANT, **change)


@pytest.mark.parametrize(
    "wire", [None, [], {}, {"engine": 5}, sign_grant(WALLET, GRANT).as_wire() | {"role": "owner"}]
)
def test_what_is_no_grant_is_refused(wire: Any) -> None:
    with refused(ErrorCode.INVALID_REQUEST, saying="not a grant"):
        read_grant(wire)


def test_a12_a_signed_grant_is_no_proof_for_a_message() -> None:
    for text in (
        grant_text(GRANT),
        grant_text(replace(GRANT, preset=f"x|{SECONDS}")),
        grant_text(GRANT) + f"|{SECONDS}",
    ):
        with refused(ErrorCode.UNAUTHENTICATED):
            verifier().open(frame(text), NOW)


def test_a_grants_text_is_read_back() -> None:
    for grant in (GRANT, replace(GRANT, preset=None), replace(GRANT, preset='a "b"\n*')):
        assert read_grant_text(grant_text(grant)) == grant


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("runner", "owner"),
        ("Epoch: 3", "Epoch: 003"),
        ("version 1", "version 2"),
        ('"Laporan"', '"Laporan" '),
        ('"Laporan"', '"\\u004caporan"'),
        ("Expires: ", "Expires: 9"),
        ("Guest: 0x", "Guest: 0X"),
        ('"Laporan"', '"\\x"'),
        ('"Laporan"', "7"),
        ("T19:33", "T99:33"),
    ],
)
def test_a_grants_text_has_one_spelling(old: str, new: str) -> None:
    text = grant_text(GRANT).replace(old, new)
    assert text != grant_text(GRANT)
    with refused(ErrorCode.INVALID_REQUEST):
        read_grant_text(text)
