"""Delegations that pages bring along: whose they are, where they hold, and how long."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from shared.errors import ErrorCode
from shared.signing import standing as standing_module
from shared.signing.delegation import ANY_ENGINE, DelegationOffer, SignedDelegation, sign_delegation
from shared.signing.envelope import EnvelopeVerifier, seal
from shared.signing.keys import WalletKey
from shared.signing.replay import ReplayWindow
from shared.signing.rest import sign_headers, verify_request, verify_socket_auth
from shared.signing.standing import (
    DELEGATION_HEADER,
    DELEGATION_SIGNATURE_HEADER,
    StandingDelegations,
    read_headers,
)
from tests.shared.signing.examples import ENGINE, NOW, OTHER, SECONDS, SESSION, WALLET, refused

PAGE = "flow.example:8000"
ELSEWHERE = "https://evil.example"
OFFER = DelegationOffer(PAGE, f"https://{PAGE}", 1, "0123456789abcdef")


def delegate(
    *, wallet: WalletKey = WALLET, offer: DelegationOffer = OFFER, **changes: Any
) -> SignedDelegation:
    members: dict[str, Any] = {
        "engines": [ANY_ENGINE],
        "scopes": ["read", "run"],
        "issued_ms": NOW,
        "expires_ms": NOW + 3_600_000,
    }
    return sign_delegation(wallet, offer, SESSION.address, **(members | changes))


def standing(engine_id: str | None = ENGINE) -> StandingDelegations:
    return StandingDelegations(lambda name: name == PAGE, engine_id=engine_id)


def opened(delegation: SignedDelegation, *, key: WalletKey = SESSION, now_ms: int = NOW) -> Any:
    verifier = EnvelopeVerifier(ENGINE, "documented", ReplayWindow(), sessions=standing())
    return verifier.open(seal(key, ENGINE, {"type": "x"}, now_ms=now_ms, delegation=delegation), now_ms)


def headers(
    delegation: SignedDelegation, key: WalletKey = SESSION, *, padded: bool = False
) -> dict[str, str]:
    """Return the headers of a request that the session key signed for the wallet."""
    text = base64.urlsafe_b64encode(delegation.message.encode()).decode()
    mine = sign_headers(_Acting(key, delegation.wallet), "GET", "/api/v1/x", b"", now_ms=NOW)
    brought = {
        DELEGATION_HEADER: text if padded else text.rstrip("="),
        DELEGATION_SIGNATURE_HEADER: delegation.signature,
    }
    return mine | brought


class _Acting:
    """A key that signs under a wallet's address."""

    def __init__(self, key: WalletKey, address: str) -> None:
        self._key = key
        self.address = address

    def sign_text(self, text: str) -> str:
        return self._key.sign_text(text)


def requested(given: dict[str, str], sessions: StandingDelegations | None, form: Any = "bound") -> Any:
    return verify_request(given, "GET", "/api/v1/x", b"", now_ms=NOW, form=form, sessions=sessions)


@pytest.mark.parametrize("engines", [[ANY_ENGINE], [ENGINE], ["another", ENGINE]])
def test_a_session_key_acts_for_its_wallet_on_the_engines_named(engines: list[str]) -> None:
    message = opened(delegate(engines=engines))
    assert message.address == WALLET.address.lower()
    assert message.session.session_address == SESSION.address.lower()
    assert message.session.scopes == {"read", "run"}


@pytest.mark.parametrize(
    ("delegation", "key", "code"),
    [
        (delegate(engines=["another"]), SESSION, ErrorCode.UNAUTHENTICATED),
        (delegate(offer=DelegationOffer("evil.example", ELSEWHERE, 1, "a" * 16)), SESSION, ErrorCode.UNAUTHENTICATED),
        (delegate(offer=DelegationOffer(PAGE, ELSEWHERE, 1, "a" * 16)), SESSION, ErrorCode.UNAUTHENTICATED),
        (delegate(issued_ms=NOW - 7_200_000, expires_ms=NOW), SESSION, ErrorCode.STALE),
        (delegate(issued_ms=NOW + 61_000), SESSION, ErrorCode.STALE),
        (delegate(begins_ms=NOW + 1000), SESSION, ErrorCode.STALE),
        (delegate(), OTHER, ErrorCode.BAD_SIGNATURE),
    ],
)  # fmt: skip
def test_it_does_not_act_otherwise(delegation: SignedDelegation, key: WalletKey, code: ErrorCode) -> None:
    with refused(code):
        opened(delegation, key=key)


def test_a_delegation_of_somebody_else_is_no_delegation_of_the_wallet() -> None:
    theirs = delegate(wallet=OTHER)
    forged = SignedDelegation(WALLET.address, theirs.message, theirs.signature)
    with refused(ErrorCode.UNAUTHENTICATED, saying="another wallet"):
        opened(forged)
    mine = delegate()
    with refused(ErrorCode.BAD_SIGNATURE):
        opened(SignedDelegation(WALLET.address, mine.message, OTHER.sign_text(mine.message)))


def test_remembered_signatures_are_bounded_and_stay_checked() -> None:
    sessions = StandingDelegations(lambda _: True, capacity=2)
    for number in range(3):
        signed = delegate(offer=DelegationOffer(PAGE, f"https://{PAGE}", 1, f"{number:016d}"))
        sessions.confirm(signed, sessions.claimed(signed, NOW), NOW)
    assert len(sessions._good) == 2
    bad = SignedDelegation(WALLET.address, delegate().message, "0x00")
    with refused(ErrorCode.BAD_SIGNATURE):
        sessions.confirm(bad, sessions.claimed(bad, NOW), NOW)


@pytest.mark.parametrize("padded", [False, True])
def test_a_request_may_carry_a_delegation(*, padded: bool) -> None:
    request = requested(headers(delegate(), padded=padded), standing(None))
    assert request.address == WALLET.address.lower()
    assert request.session.scopes == {"read", "run"}
    assert (
        requested(sign_headers(WALLET, "GET", "/api/v1/x", b"", now_ms=NOW), standing(None)).session is None
    )


def test_a_request_with_a_delegation_is_refused_where_none_is_honoured_or_it_is_damaged() -> None:
    good = headers(delegate())
    with refused(ErrorCode.UNAUTHENTICATED, saying="not accepted here"):
        requested(good, None)
    for broken in ({DELEGATION_HEADER: "é"}, {DELEGATION_HEADER: "A" * 9000}):
        with refused(ErrorCode.UNAUTHENTICATED):
            requested(good | broken, standing(None))
    with refused(ErrorCode.UNAUTHENTICATED, saying="incomplete"):
        requested(
            {name: value for name, value in good.items() if name != DELEGATION_SIGNATURE_HEADER},
            standing(None),
        )
    with refused(ErrorCode.BAD_SIGNATURE):
        requested(headers(delegate(), OTHER), standing(None))


def test_an_unbound_request_is_never_a_session_key_s() -> None:
    text = f"flowork_api_auth|{WALLET.address}|{SECONDS}"
    given = headers(delegate()) | {"X-Signed-Message": text, "X-Signature": SESSION.sign_text(text)}
    with refused(ErrorCode.UNAUTHENTICATED, saying="not accepted here"):
        requested(given, standing(None), form="documented")


def test_a_socket_may_sign_in_by_a_session_key() -> None:
    text = f"flowork_socket_auth|{WALLET.address}|{SECONDS}"
    given = headers(delegate()) | {"X-Signed-Message": text, "X-Signature": SESSION.sign_text(text)}
    request = verify_socket_auth(given, now_ms=NOW, max_age_ms=300_000, sessions=standing(None))
    assert request.address == WALLET.address.lower()
    with refused(ErrorCode.UNAUTHENTICATED, saying="not accepted here"):
        verify_socket_auth(given, now_ms=NOW, max_age_ms=300_000)


def test_the_edges_of_its_time() -> None:
    sessions = standing()
    for good in (
        delegate(issued_ms=NOW + 60_000),
        delegate(begins_ms=NOW),
        delegate(issued_ms=NOW - 1000, expires_ms=NOW + 1),
    ):
        assert sessions.claimed(good, NOW).wallet == WALLET.address.lower()
    for late in (
        delegate(issued_ms=NOW + 60_001),
        delegate(begins_ms=NOW + 1),
        delegate(issued_ms=NOW - 1000, expires_ms=NOW),
    ):
        with refused(ErrorCode.STALE):
            sessions.claimed(late, NOW)


def test_a_good_signature_is_looked_at_once_and_the_oldest_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[str] = []
    plain = standing_module.recover_text

    def counted(text: str, signature: str) -> str:
        looked.append(text)
        return plain(text, signature)

    monkeypatch.setattr(standing_module, "recover_text", counted)
    sessions = StandingDelegations(lambda _: True, capacity=2)
    made = [
        delegate(offer=DelegationOffer(PAGE, f"https://{PAGE}", 1, f"{number:016d}")) for number in range(3)
    ]
    for signed in (made[0], made[0], made[1], made[0], made[1], made[2], made[2], made[1], made[0]):
        sessions.confirm(signed, sessions.claimed(signed, NOW), NOW)
    assert looked == [made[number].message for number in (0, 1, 2, 0)]
    assert StandingDelegations(lambda _: True)._capacity == 1000


def test_another_spelling_of_a_signature_is_none() -> None:
    good = delegate()
    sessions = standing()
    with refused(ErrorCode.BAD_SIGNATURE):
        sessions.confirm(
            SignedDelegation(good.wallet, good.message, good.signature.upper()),
            sessions.claimed(good, NOW),
            NOW,
        )


@pytest.mark.parametrize("length", [8192, 8193])
def test_a_header_is_read_up_to_its_longest(length: int) -> None:
    text = base64.urlsafe_b64encode(b"x" * 6144).decode()
    assert len(text) == 8192
    given = {DELEGATION_HEADER: text + "A" * (length - 8192), DELEGATION_SIGNATURE_HEADER: "0x"}
    if length == 8192:
        read = read_headers(given, WALLET.address)
        assert read is not None
        assert len(read.message) == 6144
    else:
        with refused(ErrorCode.UNAUTHENTICATED, saying="incomplete"):
            read_headers(given, WALLET.address)


def test_headers_without_a_delegation_bring_none_and_odd_ones_are_damaged() -> None:
    assert read_headers({}, WALLET.address) is None
    for odd in ({DELEGATION_HEADER: "eA"}, {DELEGATION_SIGNATURE_HEADER: "0x"}, {DELEGATION_HEADER: 7}):
        with refused(ErrorCode.UNAUTHENTICATED, saying="incomplete"):
            read_headers(odd, WALLET.address)
    for text, read in (
        ("eA", "x"),
        ("eHg", "xx"),
        ("eHh4", "xxx"),
        ("eHh4eA", "xxxx"),
        ("eHh4eHh4eA", "x" * 7),
    ):
        found = read_headers({DELEGATION_HEADER.upper(): text, DELEGATION_SIGNATURE_HEADER: "0x"}, "0xw")
        assert found == SignedDelegation("0xw", read, "0x")
    with refused(ErrorCode.UNAUTHENTICATED, saying="base64url"):
        read_headers({DELEGATION_HEADER: "eHh4e", DELEGATION_SIGNATURE_HEADER: "0x"}, "0xw")


def test_a_request_whose_delegation_the_wallet_did_not_sign_is_refused() -> None:
    good = delegate()
    forged = SignedDelegation(good.wallet, good.message, SESSION.sign_text(good.message))
    with refused(ErrorCode.BAD_SIGNATURE):
        requested(headers(forged), standing(None))
    text = f"flowork_socket_auth|{WALLET.address}|{SECONDS}"
    given = headers(forged) | {"X-Signed-Message": text, "X-Signature": SESSION.sign_text(text)}
    with refused(ErrorCode.BAD_SIGNATURE):
        verify_socket_auth(given, now_ms=NOW, max_age_ms=300_000, sessions=standing(None))
