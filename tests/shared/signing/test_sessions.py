"""Delegated sessions on an engine: how they begin, what they may not, and how they end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.errors import ErrorCode, FloworkError
from shared.signing.delegation import DelegationOffer, SignedDelegation
from shared.signing.envelope import EnvelopeVerifier, seal
from shared.signing.keys import WalletKey
from shared.signing.sessions import NONCE_LIFETIME_MS, DelegationPolicy, SessionBook
from tests.shared.signing.examples import (
    ENGINE,
    NOW,
    OTHER,
    POLICY,
    SECONDS,
    SESSION,
    WALLET,
    book,
    delegate,
    frame,
    refused,
    verifier,
)

HOUR = 3_600_000


def message(delegation: SignedDelegation, *, key: WalletKey = SESSION, now_ms: int = NOW) -> str:
    return seal(key, ENGINE, {"type": "x"}, now_ms=now_ms, delegation=delegation)


def opener(sessions: SessionBook | None = None) -> tuple[EnvelopeVerifier, SessionBook]:
    sessions = sessions or book()
    return verifier("bound", sessions=sessions), sessions


def test_a_session_key_acts_for_its_wallet() -> None:
    opened_by, sessions = opener()
    delegation = delegate(sessions, scopes=["run", "read"])
    for number in range(3):
        opened = opened_by.open(message(delegation), NOW + number)
        assert opened.address == WALLET.address.lower()
        assert opened.session is not None
        assert opened.session.session_address == SESSION.address.lower()
        assert opened.session.wallet == WALLET.address.lower()
        assert opened.session.engines == (ENGINE,)
        assert opened.session.scopes == {"read", "run"}
        assert opened.session.expires_ms == NOW + HOUR


def test_an_offer_is_what_the_policy_says_and_a_fresh_nonce() -> None:
    sessions = book()
    one, two = sessions.offer(NOW), sessions.offer(NOW)
    assert replace(one, nonce="") == DelegationOffer(POLICY.domain, POLICY.uri, 1, "")
    assert one.nonce != two.nonce


def test_the_wallet_still_speaks_for_itself() -> None:
    opened_by, sessions = opener()
    delegate(sessions)
    assert opened_by.open(seal(WALLET, ENGINE, {"type": "x"}, now_ms=NOW), NOW).session is None


def test_without_a_book_no_delegation_is_honoured() -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="not accepted here"):
        verifier("bound").open(message(delegate(book())), NOW)


def test_a_session_key_must_cover_its_payload() -> None:
    opened_by = verifier("documented", sessions=(sessions := book()))
    signed = delegate(sessions)
    carried = {"message": signed.message, "signature": signed.signature}
    text = frame(str(SECONDS), signer=SESSION, address=WALLET.address, delegation=carried)
    with refused(ErrorCode.UNAUTHENTICATED, saying="cover the payload"):
        opened_by.open(text, NOW)


def test_a_delegation_without_its_session_key_is_worth_nothing() -> None:
    opened_by, sessions = opener()
    delegation = delegate(sessions)
    for thief in (OTHER, WALLET):
        with refused(ErrorCode.BAD_SIGNATURE):
            opened_by.open(message(delegation, key=thief), NOW)
    assert opened_by.open(message(delegation), NOW)  # the thief did not burn the nonce either


def test_a_delegation_cannot_be_carried_to_another_wallet() -> None:
    opened_by, sessions = opener()
    delegation = delegate(sessions)
    with refused(ErrorCode.UNAUTHENTICATED, saying="another wallet"):
        opened_by.open(message(replace(delegation, wallet=OTHER.address)), NOW)
    opened_by.open(message(delegation), NOW)
    with refused(ErrorCode.UNAUTHENTICATED, saying="another wallet"):
        opened_by.open(message(replace(delegation, wallet=OTHER.address)), NOW)


@pytest.mark.parametrize(
    "policy",
    [
        DelegationPolicy("evil.example", POLICY.uri),
        DelegationPolicy("127.0.0.1:8001", POLICY.uri),
        DelegationPolicy("127.0.0.1", POLICY.uri),
        DelegationPolicy(POLICY.domain, "https://127.0.0.1:8000"),
        DelegationPolicy(POLICY.domain, "http://127.0.0.1:8001"),
        DelegationPolicy(POLICY.domain, POLICY.uri + "/other"),
        DelegationPolicy(POLICY.domain, POLICY.uri, chain_id=5),
    ],
)
def test_a16_a19_a_delegation_for_another_domain_scheme_port_uri_or_chain_is_refused(
    policy: DelegationPolicy,
) -> None:
    opened_by, sessions = opener()
    offer = DelegationOffer(policy.domain, policy.uri, policy.chain_id, sessions.offer(NOW).nonce)
    with refused(ErrorCode.UNAUTHENTICATED, saying="another domain, uri or chain"):
        opened_by.open(message(delegate(sessions, offer=offer)), NOW)


def test_a17_a_nonce_the_client_made_is_refused() -> None:
    opened_by, sessions = opener()
    offer = replace(sessions.offer(NOW), nonce="ab" * 16)
    with refused(ErrorCode.UNAUTHENTICATED, saying="nonce"):
        opened_by.open(message(delegate(sessions, offer=offer)), NOW)


def test_a17_a_nonce_is_good_for_one_delegation() -> None:
    opened_by, sessions = opener()
    offer = sessions.offer(NOW)
    opened_by.open(message(delegate(sessions, offer=offer)), NOW)
    second = delegate(sessions, offer=offer, scopes=["read"])
    with refused(ErrorCode.UNAUTHENTICATED, saying="nonce"):
        opened_by.open(message(second), NOW)


def test_a17_an_old_nonce_is_refused() -> None:
    opened_by, sessions = opener()
    delegation = delegate(sessions)
    later = NOW + NONCE_LIFETIME_MS
    with refused(ErrorCode.UNAUTHENTICATED, saying="nonce"):
        opened_by.open(message(delegation, now_ms=later), later)


def test_a17_a_nonce_is_burnt_by_a_failure_too() -> None:
    opened_by, sessions = opener()
    honest = delegate(sessions)
    forged = replace(honest, signature=OTHER.sign_text(honest.message))
    with refused(ErrorCode.BAD_SIGNATURE, saying="delegation"):
        opened_by.open(message(forged), NOW)
    with refused(ErrorCode.UNAUTHENTICATED, saying="nonce"):
        opened_by.open(message(honest), NOW)


def test_a17_the_oldest_offer_gives_way() -> None:
    sessions = SessionBook(ENGINE, POLICY, capacity=3)
    offers = [sessions.offer(NOW) for _ in range(4)]
    opened_by, _ = opener(sessions)
    with refused(ErrorCode.UNAUTHENTICATED, saying="nonce"):
        opened_by.open(message(delegate(sessions, offer=offers[0])), NOW)
    assert opened_by.open(message(delegate(sessions, offer=offers[1])), NOW)


@pytest.mark.parametrize(
    ("changes", "now_ms"),
    [
        ({"issued_ms": NOW + 60_001, "expires_ms": NOW + HOUR}, NOW),
        ({"begins_ms": NOW + 1}, NOW),
        ({"expires_ms": NOW + 1000}, NOW + 1000),
        ({"issued_ms": NOW - HOUR, "expires_ms": NOW}, NOW),
    ],
)
def test_a18_a_delegation_outside_its_time_is_refused(changes: dict[str, Any], now_ms: int) -> None:
    opened_by, sessions = opener()
    with refused(ErrorCode.STALE):
        opened_by.open(message(delegate(sessions, **changes), now_ms=now_ms), now_ms)


def test_a18_a_small_difference_of_clocks_is_tolerated() -> None:
    opened_by, sessions = opener()
    assert opened_by.open(message(delegate(sessions, issued_ms=NOW + 60_000, begins_ms=NOW)), NOW)


def test_a19_a_delegation_for_another_engine_is_refused() -> None:
    opened_by, sessions = opener()
    with refused(ErrorCode.UNAUTHENTICATED, saying="this engine"):
        opened_by.open(message(delegate(sessions, engines=["engine-2"])), NOW)


@pytest.mark.parametrize("signature", ["", "0x", "0x" + "ab" * 200, "0x" + "00" * 65, "ab" * 65])
def test_a20_a_signature_that_is_no_key_s_is_refused(signature: str) -> None:
    opened_by, sessions = opener()
    with refused(ErrorCode.BAD_SIGNATURE):
        opened_by.open(message(replace(delegate(sessions), signature=signature)), NOW)


def test_a21_an_expired_session_is_refused_on_its_next_message() -> None:
    opened_by, sessions = opener()
    delegation = delegate(sessions)
    opened_by.open(message(delegation), NOW)
    end = NOW + HOUR
    opened_by.open(message(delegation, now_ms=end - 1), end - 1)
    with refused(ErrorCode.STALE, saying="expired"):
        opened_by.open(message(delegation, now_ms=end), end)


@pytest.mark.parametrize("address", [WALLET.address, WALLET.address.lower(), SESSION.address])
def test_a21_a_revoked_session_is_refused_on_its_next_message(address: str) -> None:
    opened_by, sessions = opener()
    delegation = delegate(sessions)
    opened_by.open(message(delegation), NOW)
    assert sessions.revoke(OTHER.address) == 0
    assert sessions.revoke(address) == 1
    with refused(ErrorCode.UNAUTHENTICATED, saying="nonce"):
        opened_by.open(message(delegation), NOW)


def test_a23_a_session_key_cannot_delegate() -> None:
    opened_by, sessions = opener()
    opened_by.open(message(delegate(sessions)), NOW)
    # In its own name:
    second = delegate(sessions, wallet=SESSION, session=OTHER)
    with refused(ErrorCode.UNAUTHENTICATED, saying="cannot delegate"):
        opened_by.open(message(second, key=OTHER), NOW)
    # In the wallet's name:
    forged = delegate(sessions, session=OTHER)
    forged = replace(forged, signature=SESSION.sign_text(forged.message))
    with refused(ErrorCode.BAD_SIGNATURE):
        opened_by.open(message(forged, key=OTHER), NOW)


def test_a24_a_message_of_a_session_is_accepted_once_also_after_a_restart() -> None:
    opened_by, sessions = opener()
    text = message(delegate(sessions))
    entry = opened_by.open(text, NOW).replay_entry
    with refused(ErrorCode.REPLAYED):
        opened_by.open(text, NOW)
    restarted_book = book()
    restarted_book.load(sessions.entries(), NOW)
    restarted, _ = opener(restarted_book)
    restarted._window.load([entry], NOW)
    with refused(ErrorCode.REPLAYED):
        restarted.open(text, NOW)


def test_sessions_survive_a_restart_but_not_their_end() -> None:
    opened_by, sessions = opener()
    delegation = delegate(sessions)
    opened_by.open(message(delegation), NOW)
    for now_ms, alive in ((NOW + 1000, True), (NOW + HOUR, False)):
        restarted_book = book()
        restarted_book.load(sessions.entries(), now_ms)
        assert len(restarted_book.entries()) == alive
    with refused(ErrorCode.UNAUTHENTICATED, saying="nonce"):
        opener()[0].open(message(delegation), NOW)


def test_a_full_book_refuses_until_a_session_ends() -> None:
    opened_by, sessions = opener(SessionBook(ENGINE, POLICY, capacity=2))
    for key, end in ((SESSION, NOW + 1000), (OTHER, NOW + HOUR)):
        opened_by.open(message(delegate(sessions, session=key, expires_ms=end), key=key), NOW)
    third = WalletKey(b"\x07" * 32)
    with refused(ErrorCode.RATE_LIMITED):
        opened_by.open(message(delegate(sessions, session=third), key=third), NOW)
    later = NOW + 1000
    assert opened_by.open(message(delegate(sessions, session=third), key=third, now_ms=later), later)


def test_the_documented_bounds_of_the_book() -> None:
    assert NONCE_LIFETIME_MS == 600_000
    assert book()._capacity == 10_000


def test_an_offer_is_good_until_its_time_is_over() -> None:
    for later, good in ((599_999, True), (600_000, False)):
        sessions = book()
        opened_by, _ = opener(sessions)
        delegation = delegate(sessions)
        at = NOW + later
        if good:
            assert opened_by.open(message(delegation, now_ms=at), at)
        else:
            with refused(ErrorCode.UNAUTHENTICATED, saying="too old"):
                opened_by.open(message(delegation, now_ms=at), at)


def test_the_oldest_offer_gives_way_and_no_other() -> None:
    sessions = SessionBook(ENGINE, POLICY, capacity=2)
    first, second = sessions.offer(NOW), sessions.offer(NOW)
    assert list(sessions._offers) == [first.nonce, second.nonce]
    third = sessions.offer(NOW)
    assert list(sessions._offers) == [second.nonce, third.nonce]


def test_a_session_ends_in_the_very_millisecond_and_makes_room_then() -> None:
    opened_by, sessions = opener(SessionBook(ENGINE, POLICY, capacity=1))
    opened_by.open(message(delegate(sessions, expires_ms=NOW + 1000)), NOW)
    delegation = delegate(sessions, session=OTHER)
    for at, room in ((NOW + 999, False), (NOW + 1000, True)):
        if room:
            assert opened_by.open(message(delegate(sessions, session=OTHER), key=OTHER, now_ms=at), at)
        else:
            with pytest.raises(FloworkError) as caught:
                opened_by.open(message(delegation, key=OTHER, now_ms=at), at)
            assert (caught.value.code, caught.value.retry_after) == (ErrorCode.RATE_LIMITED, 60)
    assert len(sessions.entries()) == 1


def test_of_stored_sessions_those_come_back_that_have_not_ended() -> None:
    opened_by, sessions = opener()
    opened_by.open(message(delegate(sessions, expires_ms=NOW + 1000)), NOW)
    for at, count in ((NOW + 999, 1), (NOW + 1000, 0)):
        again = book()
        again.load(sessions.entries(), at)
        assert len(again.entries()) == count


def test_clocks_may_differ_by_a_minute_and_no_more() -> None:
    for ahead, good in ((60_000, True), (60_001, False)):
        opened_by, sessions = opener()
        delegation = delegate(sessions, issued_ms=NOW + ahead)
        if good:
            assert opened_by.open(message(delegation), NOW)
        else:
            with refused(ErrorCode.STALE, saying="future"):
                opened_by.open(message(delegation), NOW)
    opened_by, sessions = opener()
    with refused(ErrorCode.STALE, saying="not valid yet"):
        opened_by.open(message(delegate(sessions, begins_ms=NOW + 1)), NOW)
