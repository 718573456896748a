"""The grammar of signed texts: times and purposes."""

from __future__ import annotations

import pytest

from shared.errors import ErrorCode
from shared.signing import texts
from shared.signing.texts import check_fresh, documented_time, new_nonce, read_time
from tests.shared.signing.examples import ARABIC, FULL_WIDTH, NOW, SECONDS, WALLET, refused

PURPOSES = frozenset({"flowork_socket_auth", "flowork_api_auth"})
ADDRESS = WALLET.address


@pytest.mark.parametrize(
    ("field", "ms"),
    [
        ("1766000000", 1_766_000_000_000),
        ("1766000000123", 1_766_000_000_123),
        ("0", 0),
        ("99999999999", 99_999_999_999_000),
        ("100000000000", 100_000_000_000),
        (str(2**63), 2**63),
    ],
)
def test_times_are_read_in_seconds_or_milliseconds(field: str, ms: int) -> None:
    assert read_time(field) == ms


@pytest.mark.parametrize(
    "field",
    ["", "-1766000000", "+1766000000", "1e9", "1766000000.5", " 1766000000", "1766000000 ", "1766000000\n",
     FULL_WIDTH, ARABIC, "1_766_000_000", "0x6943", "nan", "9" * 21],
)  # fmt: skip
def test_a11_other_spellings_of_a_time_are_refused(field: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="format"):
        read_time(field)


@pytest.mark.parametrize("offset", [-300_000, 0, 300_000])
def test_times_within_300_seconds_are_fresh(offset: int) -> None:
    check_fresh(NOW + offset, NOW)


@pytest.mark.parametrize(
    "at_ms", [NOW - 300_001, NOW + 300_001, NOW - 301_000, NOW + 301_000, 0, 2**63, -NOW]
)
def test_a11_times_outside_are_stale(at_ms: int) -> None:
    with refused(ErrorCode.STALE):
        check_fresh(at_ms, NOW)


def test_a_longer_age_does_not_allow_a_later_future() -> None:
    check_fresh(NOW - 3_600_000, NOW, max_age_ms=3_600_000)
    with refused(ErrorCode.STALE):
        check_fresh(NOW - 3_600_001, NOW, max_age_ms=3_600_000)
    with refused(ErrorCode.STALE):
        check_fresh(NOW + 300_001, NOW, max_age_ms=3_600_000)


@pytest.mark.parametrize(
    "message",
    [
        f"flowork_socket_auth|{ADDRESS}|{SECONDS}",
        f"flowork_api_auth|{ADDRESS.lower()}|{SECONDS}",
        f"{SECONDS}",
        f"my client|{SECONDS}",
        f"flowork-lite|7|x|{SECONDS}",
        f"|{SECONDS}",
    ],
)
def test_documented_texts_are_read(message: str) -> None:
    assert documented_time(message, ADDRESS, PURPOSES, free=True) == SECONDS * 1000


@pytest.mark.parametrize(
    "message",
    [
        f"flowork_socket_auth|{ADDRESS}|x|{SECONDS}",
        f"flowork_socket_auth|{SECONDS}",
        f"flowork_api_auth|{'0x' + '1' * 40}|{SECONDS}",
        f"flowork_claim|{ADDRESS}|{SECONDS}",
        f"flowork_engine|{ADDRESS}|{SECONDS}",
        f"FLOWORK_ENGINE|{ADDRESS}|{SECONDS}",
        f"flowork_unknown|{SECONDS}",
        f"first line\nsecond|{SECONDS}",
        f"first line\u2028second|{SECONDS}",
        f"example.org wants you to sign in with your Ethereum account:\n{ADDRESS}\n|{SECONDS}",
        "hello",
        f"{SECONDS}|",
        "",
    ],
)
def test_a12_texts_made_for_something_else_are_refused(message: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        documented_time(message, ADDRESS, PURPOSES, free=True)


@pytest.mark.parametrize("message", [f"{SECONDS}", f"my client|{SECONDS}"])
def test_where_free_texts_are_not_accepted_only_purposes_are(message: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        documented_time(message, ADDRESS, PURPOSES, free=False)


def test_nonces_are_fresh() -> None:
    nonces = {new_nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert all(len(nonce) == 32 for nonce in nonces)


def test_the_documented_bounds() -> None:
    assert (texts.WINDOW_MS, texts.MAX_TEXT) == (600_000, 1024)
    assert read_time("99999999999") == 99_999_999_999_000
    assert read_time("100000000000") == 100_000_000_000
    assert len(new_nonce()) == 32
    assert new_nonce() != new_nonce()
