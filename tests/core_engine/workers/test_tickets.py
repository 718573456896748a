"""Tickets and seals: only who knows the secret can make or read them."""

from __future__ import annotations

import base64

import pytest

from core_engine.workers.tickets import LONGEST_TICKET, Seals, Ticket
from shared.errors import ErrorCode, FloworkError

SECRET = "s" * 32
TICKET = Ticket("c" * 32, "run-1", "node-1", 1, 2000)


@pytest.fixture
def seals() -> Seals:
    return Seals(SECRET, "engine-1")


def test_a_ticket_is_read_until_it_expires(seals: Seals) -> None:
    text = seals.sign(TICKET)
    assert seals.read(text, 2000) == TICKET
    assert seals.read(text, 2001) is None


@pytest.mark.parametrize("where", [0, 31, 32, -1])
def test_a_changed_ticket_is_refused(seals: Seals, where: int) -> None:
    raw = bytearray(base64.b64decode(seals.sign(TICKET)))
    raw[where] ^= 1
    assert seals.read(base64.b64encode(raw).decode(), 0) is None


@pytest.mark.parametrize("text", [None, 5, [], "", "ä", "====", "AAAA", "A" * (LONGEST_TICKET + 4)])
def test_what_is_no_ticket_is_refused(seals: Seals, text: object) -> None:
    assert seals.read(text, 0) is None


@pytest.mark.parametrize("other", [Seals("t" * 32, "engine-1"), Seals(SECRET, "engine-2")])
def test_tickets_and_steps_of_others_are_refused(seals: Seals, other: Seals) -> None:
    assert other.read(seals.sign(TICKET), 0) is None
    with pytest.raises(FloworkError) as refused:
        other.open(seals.seal(b"step", "c1", "request"), "c1", "request")
    assert refused.value.code is ErrorCode.JOURNAL_CORRUPT


def test_what_is_sealed_opens_in_its_place_only(seals: Seals) -> None:
    sealed = seals.seal(b"step", "c1", "request")
    assert b"step" not in sealed
    assert seals.open(sealed, "c1", "request") == b"step"
    for claim, kind in (("c2", "request"), ("c1", "result")):
        with pytest.raises(FloworkError):
            seals.open(sealed, claim, kind)
    with pytest.raises(FloworkError):
        seals.open(b"short", "c1", "request")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(FloworkError, match="ENGINE_WORKER_SECRET must have at least 32"):
        Seals("short", "engine-1")
