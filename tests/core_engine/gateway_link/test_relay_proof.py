"""Sign-ins of pages: fresh at first, then good for a day, and never by knowing the text alone."""

from __future__ import annotations

import pytest

from core_engine.gateway_link import relay_proof
from core_engine.gateway_link.relay_proof import SignIns
from shared.clock import ManualClock
from shared.contract.relay import RelayAuth
from shared.errors import FloworkError
from shared.signing.keys import WalletKey

KEY = WalletKey.from_hex("1" * 64)
HOUR = 3600


class Memory:
    def __init__(self, value: bytes | None = None) -> None:
        self.value = value

    def get(self, key: str) -> bytes | None:
        return self.value

    async def put(self, key: str, value: bytes) -> None:
        self.value = value


def book_of(clock: ManualClock, memory: Memory | None = None) -> SignIns:
    return SignIns(clock, memory or Memory())


def sign_in(clock: ManualClock, key: WalletKey = KEY) -> RelayAuth:
    message = f"flowork_socket_auth|{key.address}|{clock.ms // 1000}"
    return RelayAuth(address=key.address, message=message, signature=key.sign_text(message))


def refused(book: SignIns, auth: RelayAuth) -> str:
    with pytest.raises(FloworkError) as caught:
        book.prove(auth)
    return caught.value.code.value


def test_a_sign_in_is_good_for_a_day_after_a_fresh_first_use() -> None:
    clock = ManualClock()
    book, auth = book_of(clock), sign_in(clock)
    clock.advance(299)
    assert book.prove(auth) == KEY.address.lower()
    clock.advance(23.9 * HOUR)
    assert book.prove(auth) == KEY.address.lower()
    clock.advance(0.2 * HOUR)
    assert refused(book, auth) == "STALE"


def test_an_old_one_is_never_taken_up() -> None:
    clock = ManualClock()
    auth = sign_in(clock)
    clock.advance(302)
    assert refused(book_of(clock), auth) == "STALE"


def test_knowing_the_text_is_not_having_signed_it() -> None:
    clock = ManualClock()
    book, auth = book_of(clock), sign_in(clock)
    book.prove(auth)
    other = WalletKey.from_hex("2" * 64)
    assert (
        refused(book, auth.model_copy(update={"signature": other.sign_text(auth.message)})) == "BAD_SIGNATURE"
    )
    assert refused(book, auth.model_copy(update={"signature": ""})) == "UNAUTHENTICATED"
    assert refused(book, auth.model_copy(update={"address": other.address})) == "UNAUTHENTICATED"


def test_the_book_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_proof, "MAX_PAGES", 2)
    clock = ManualClock()
    book = book_of(clock)
    auths = [sign_in(clock, WalletKey.from_hex(digit * 64)) for digit in "123"]
    for auth in auths:
        book.prove(auth)
    clock.advance(400)
    assert refused(book, auths[0]) == "STALE"
    assert book.prove(auths[2])


async def test_a_restart_does_not_end_a_sign_in_but_damage_does() -> None:
    clock, memory = ManualClock(), Memory()
    book, auth = book_of(clock, memory), sign_in(clock)
    book.prove(auth)
    await book.save()
    assert auth.signature.encode() not in (memory.value or b"")
    clock.advance(HOUR)
    assert book_of(clock, memory).prove(auth) == KEY.address.lower()
    for damaged in (b"{", b"[1]", b'{"a": "b"}'):
        assert refused(book_of(clock, Memory(damaged)), auth) == "STALE"
