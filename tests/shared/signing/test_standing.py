"""Delegations that pages bring along: whose they are, where they hold, and how long."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import ErrorCode
from shared.signing import standing as standing_module
from shared.signing.delegation import ANY_ENGINE, DelegatedSession, DelegationOffer, SignedDelegation
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
from tests.shared.signing.examples import (
    ENGINE,
    NOW,
    OFFER,
    OTHER,
    PAGE,
    SECONDS,
    SESSION,
    WALLET,
    delegate,
    frame,
    refused,
    spellings,
    standing,
    verifier,
)

HOUR = 3_600_000


def message(delegation: SignedDelegation, *, key: WalletKey = SESSION, now_ms: int = NOW) -> str:
    return seal(key, ENGINE, {"type": "x"}, now_ms=now_ms, delegation=delegation)


def opened(delegation: SignedDelegation, *, key: WalletKey = SESSION, now_ms: int = NOW) -> Any:
    opened_by = verifier("bound", sessions=standing())
    return opened_by.open(message(delegation, key=key, now_ms=now_ms), now_ms)


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
    opened_by, delegation = verifier("bound", sessions=standing()), delegate(engines=engines)
    for number in range(3):
        acting = opened_by.open(message(delegation), NOW + number)
        assert acting.address == WALLET.address.lower()
        assert acting.session == DelegatedSession(
            wallet=WALLET.address.lower(),
            session_address=SESSION.address.lower(),
            engines=tuple(engines),
            scopes=frozenset({"read", "run"}),
            expires_ms=NOW + HOUR,
        )
    assert opened_by.open(seal(WALLET, ENGINE, {"type": "x"}, now_ms=NOW), NOW).session is None


def test_a_message_with_a_delegation_is_refused_where_none_is_honoured() -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="not accepted here"):
        verifier("bound").open(message(delegate()), NOW)


def test_a_session_key_must_cover_its_payload() -> None:
    signed = delegate()
    carried = {"message": signed.message, "signature": signed.signature}
    text = frame(str(SECONDS), signer=SESSION, address=WALLET.address, delegation=carried)
    with refused(ErrorCode.UNAUTHENTICATED, saying="cover the payload"):
        verifier("documented", sessions=standing()).open(text, NOW)


@pytest.mark.parametrize(
    ("offer", "saying"),
    [
        (replace(OFFER, domain="evil.example", uri="https://evil.example"), "no page of this server"),
        (replace(OFFER, domain="evil.example"), "no page of this server"),
        (replace(OFFER, domain="flow.example:8001", uri="https://flow.example:8001"), "no page of this server"),
        (replace(OFFER, domain="flow.example", uri="https://flow.example"), "no page of this server"),
        (replace(OFFER, uri="https://evil.example"), "not the origin"),
        (replace(OFFER, uri="https://flow.example:8001"), "not the origin"),
        (replace(OFFER, uri=f"https://me@{PAGE}"), "not the origin"),
        (replace(OFFER, uri=f"ftp://{PAGE}"), "not the origin"),
        (replace(OFFER, uri=f"https://{PAGE}/"), "not the origin"),
        (replace(OFFER, uri=f"https://{PAGE}/other"), "not the origin"),
        (replace(OFFER, chain_id=5), "another chain"),
    ],
)  # fmt: skip
def test_a16_a19_a_delegation_for_another_name_port_uri_or_chain_is_refused(
    offer: DelegationOffer, saying: str
) -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying=saying):
        opened(delegate(offer=offer))


def test_a_page_may_come_over_http_too() -> None:
    assert opened(delegate(offer=replace(OFFER, uri=f"http://{PAGE}")))


def test_a17_a_delegation_that_was_heard_is_worth_nothing_without_its_key() -> None:
    opened_by, heard = verifier("bound", sessions=standing()), delegate()
    for _ in range(2):  # before anything is known of it, and once its signature is known as good
        for thief in (OTHER, WALLET):
            with refused(ErrorCode.BAD_SIGNATURE):
                opened_by.open(message(heard, key=thief), NOW)
        with refused(ErrorCode.UNAUTHENTICATED, saying="another wallet"):
            opened_by.open(message(replace(heard, wallet=OTHER.address)), NOW)
        assert opened_by.open(message(heard), NOW)


def test_a19_a_delegation_for_another_engine_is_refused() -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="this engine"):
        opened(delegate(engines=["another"]))
    assert standing(None).claimed(delegate(engines=["another"]), NOW), "a gateway is none of the engines"


@pytest.mark.parametrize(
    "signature",
    [
        "", "0x", "0x" + "ab" * 200, "0x" + "00" * 65, "ab" * 65, "\ud800",
        *spellings(delegate().signature).values(),
    ],
)  # fmt: skip
def test_a20_a_signature_that_is_no_key_s_or_spelled_otherwise_is_refused(signature: str) -> None:
    sessions, good = standing(), delegate()
    session = sessions.claimed(good, NOW)
    sessions.confirm(good, session)
    for _ in range(2):
        with refused(ErrorCode.BAD_SIGNATURE):
            sessions.confirm(replace(good, signature=signature), session)


def test_a_delegation_that_the_wallet_did_not_sign_is_refused() -> None:
    theirs, mine = delegate(wallet=OTHER), delegate()
    with refused(ErrorCode.UNAUTHENTICATED, saying="another wallet"):
        opened(replace(theirs, wallet=WALLET.address))
    wider = delegate(scopes=["admin", "read", "run"])
    for signature in (OTHER.sign_text(mine.message), wider.signature):
        with refused(ErrorCode.BAD_SIGNATURE, saying="of the delegation"):
            opened(replace(mine, signature=signature))
    with refused(ErrorCode.BAD_SIGNATURE, saying="of the delegation"):
        opened(replace(wider, signature=mine.signature))


def test_a21_an_expired_session_is_refused_on_its_next_message() -> None:
    opened_by, delegation, end = verifier("bound", sessions=standing()), delegate(), NOW + HOUR
    for at in (NOW, end - 1):
        assert opened_by.open(message(delegation, now_ms=at), at)
    with refused(ErrorCode.STALE, saying="expired"):
        opened_by.open(message(delegation, now_ms=end), end)


def test_a21_an_expired_session_is_refused_by_a_gateway() -> None:
    ended = delegate(issued_ms=NOW - HOUR, expires_ms=NOW)
    with refused(ErrorCode.STALE, saying="expired"):
        requested(headers(ended), standing(None))
    text = f"flowork_socket_auth|{WALLET.address}|{SECONDS}"
    given = headers(ended) | {"X-Signed-Message": text, "X-Signature": SESSION.sign_text(text)}
    with refused(ErrorCode.STALE, saying="expired"):
        verify_socket_auth(given, now_ms=NOW, max_age_ms=HOUR, sessions=standing(None))


def test_a23_a_session_key_cannot_delegate_for_its_wallet() -> None:
    opened_by = verifier("bound", sessions=standing())
    assert opened_by.open(message(delegate()), NOW)
    onward = delegate(wallet=SESSION, session=OTHER)
    # In its own name it is one more wallet, and nobody's session.
    assert opened_by.open(message(onward, key=OTHER), NOW).address == SESSION.address.lower()
    with refused(ErrorCode.UNAUTHENTICATED, saying="another wallet"):
        opened_by.open(message(replace(onward, wallet=WALLET.address), key=OTHER), NOW)
    forged = delegate(session=OTHER)
    forged = replace(forged, signature=SESSION.sign_text(forged.message))
    with refused(ErrorCode.BAD_SIGNATURE, saying="of the delegation"):
        opened_by.open(message(forged, key=OTHER), NOW)


def test_a24_a_message_of_a_session_is_accepted_once_also_after_a_restart() -> None:
    opened_by, delegation = verifier("bound", sessions=standing()), delegate()
    text = message(delegation)
    entry = opened_by.open(text, NOW).replay_entry
    window = ReplayWindow()
    window.load([entry], NOW)
    restarted = EnvelopeVerifier(ENGINE, "bound", window, sessions=standing())
    for again in (opened_by, restarted):
        with refused(ErrorCode.REPLAYED):
            again.open(text, NOW)
        assert again.open(message(delegation), NOW), "the session goes on with new messages"


def test_remembered_signatures_are_bounded_and_stay_checked() -> None:
    sessions = StandingDelegations(lambda _: True, capacity=2)
    for number in range(3):
        signed = delegate(offer=replace(OFFER, nonce=f"{number:016d}"))
        sessions.confirm(signed, sessions.claimed(signed, NOW))
    assert len(sessions._good) == 2
    bad = SignedDelegation(WALLET.address, delegate().message, "0x00")
    with refused(ErrorCode.BAD_SIGNATURE):
        sessions.confirm(bad, sessions.claimed(bad, NOW))


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


def test_a18_the_edges_of_its_time() -> None:
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
    made = [delegate(offer=replace(OFFER, nonce=f"{number:016d}")) for number in range(3)]
    for signed in (made[0], made[0], made[1], made[0], made[1], made[2], made[2], made[1], made[0]):
        sessions.confirm(signed, sessions.claimed(signed, NOW))
    assert looked == [made[number].message for number in (0, 1, 2, 0)]
    assert StandingDelegations(lambda _: True)._capacity == 1000


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
