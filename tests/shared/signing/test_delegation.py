"""Delegation texts: what a wallet may hand to a session key, and nothing beyond."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.errors import ErrorCode
from shared.signing.delegation import (
    MAX_LIFETIME_MS,
    DelegatedSession,
    DelegationOffer,
    read_delegation,
    sign_delegation,
    write_delegation,
)
from shared.signing.keys import WalletKey
from shared.signing.recover import recover_text
from shared.signing.siwe import read_sign_in, write_sign_in
from tests.shared.signing.examples import ENGINE, NOW, SESSION, WALLET, refused, vectors

OFFER = DelegationOffer("127.0.0.1:8000", "http://127.0.0.1:8000", 1, "ab" * 16)


def signed(**changes: Any) -> str:
    members: dict[str, Any] = {
        "engines": ["engine-2", ENGINE, ENGINE],
        "scopes": ["run", "read"],
        "issued_ms": NOW,
        "expires_ms": NOW + MAX_LIFETIME_MS,
        "session_address": SESSION.address,
    }
    return sign_delegation(WALLET, OFFER, **(members | changes)).message


@pytest.mark.parametrize(
    "vector", [v for v in vectors("sign_in") if v["profile"]], ids=lambda v: str(len(v["text"]))
)
def test_a_delegation_of_the_siwe_package_is_read(vector: dict[str, Any]) -> None:
    delegation = read_delegation(vector["text"])
    key = WalletKey.from_hex(vector["session_private_key"])
    assert delegation.session == DelegatedSession(
        wallet=vector["address"].lower(),
        session_address=key.address.lower(),
        engines=("engine-1", "engine-2"),
        scopes=frozenset({"read", "run"}),
        expires_ms=delegation.issued_ms + 12 * 3_600_000,
    )
    assert recover_text(vector["text"], vector["signature"]) == delegation.session.wallet
    assert write_delegation(delegation) == vector["text"]


def test_a_delegation_comes_back_as_it_was() -> None:
    delegation = read_delegation(signed(begins_ms=NOW + 1))
    assert delegation.offer == OFFER
    assert (delegation.issued_ms, delegation.begins_ms) == (NOW, NOW + 1)
    assert delegation.session.engines == (ENGINE, "engine-2")
    assert write_delegation(delegation) == signed(begins_ms=NOW + 1)


@pytest.mark.parametrize(
    "change",
    [
        {"expires_ms": NOW},
        {"expires_ms": NOW - 1},
        {"expires_ms": NOW + MAX_LIFETIME_MS + 1},
        {"engines": []},
        {"engines": [f"e{number}" for number in range(33)]},
        {"engines": ["a b"]},
        {"engines": ["*", ENGINE]},
        {"engines": ["**"]},
        {"scopes": []},
        {"scopes": [f"s{number}" for number in range(33)]},
        {"scopes": ["Run"]},
        {"scopes": ["a:b"]},
        {"scopes": ["run\n- urn:flowork:scope:admin"]},
        {"session_address": "0x1"},
        {"session_address": WALLET.address},
        {"issued_ms": 10**18, "expires_ms": 10**18 + 1},
    ],
)
def test_a18_what_must_not_be_delegated_cannot_be_signed(change: dict[str, Any]) -> None:
    with refused(ErrorCode.INVALID_REQUEST):
        signed(**change)


def test_the_largest_delegation_is_read() -> None:
    most = signed(
        engines=[f"e{number}" for number in range(32)], scopes=[f"s{number}" for number in range(32)]
    )
    assert len(read_delegation(most).session.engines) == len(read_delegation(most).session.scopes) == 32


def test_a_delegation_that_is_too_long_is_neither_written_nor_read() -> None:
    engines = [f"{number:064d}" for number in range(32)]
    scopes = [f"s{number:039d}" for number in range(32)]
    with refused(ErrorCode.INVALID_REQUEST, saying="too long"):
        signed(engines=engines, scopes=scopes)
    sign_in = read_sign_in(signed())
    resources = [
        f"urn:flowork:session:{SESSION.address}",
        *(f"urn:flowork:engine:{engine}" for engine in engines),
    ]
    resources += [f"urn:flowork:scope:{scope}" for scope in scopes]
    with refused(ErrorCode.UNAUTHENTICATED, saying="too long"):
        read_delegation(write_sign_in(replace(sign_in, resources=tuple(resources))))


def test_a18_a_day_is_the_longest_lifetime() -> None:
    day = 24 * 3_600_000
    assert read_delegation(signed(expires_ms=NOW + day)).session.expires_ms == NOW + day
    with refused(ErrorCode.INVALID_REQUEST, saying="24 hours"):
        signed(expires_ms=NOW + day + 1)


CHANGES = {
    "a18 no expiry": lambda t: "\n".join(line for line in t.split("\n") if "Expiration" not in line),
    "a18 more than a day": lambda t: t.replace("Expiration Time: 2025-12-18", "Expiration Time: 2025-12-19"),
    "a18 before it begins": lambda t: t.replace("Expiration Time: 2025-12-18", "Expiration Time: 2025-12-16"),
    "a19 no resources": lambda t: t.partition("\nResources")[0],
    "a19 another resource": lambda t: t + "\n- urn:flowork:admin:all",
    "a19 a foreign resource": lambda t: t + "\n- https://evil.example",
    "a19 resources in another order": lambda t: t.replace("scope:read", "scope:x").replace("scope:run", "scope:read"),
    "a19 a resource twice": lambda t: t + "\n- urn:flowork:scope:run",
    "a19 two session keys": lambda t: t.replace("\n- urn", f"\n- urn:flowork:session:{SESSION.address}\n- urn", 1),
    "a19 no session key": lambda t: t.replace(f"\n- urn:flowork:session:{SESSION.address}", ""),
    "session key in lower case": lambda t: t.replace(SESSION.address, SESSION.address.lower()),
    "session key is no address": lambda t: t.replace(SESSION.address, "me"),
    "another statement": lambda t: t.replace("Let the", "Do not let the"),
    "no statement": lambda t: t.replace(t.split("\n")[3] + "\n", ""),
    "times without milliseconds": lambda t: t.replace(".123Z", "Z"),
    "too long": lambda t: t + "\n- urn:flowork:scope:" + "z" * 5000,
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a18_a19_a_delegation_of_another_shape_is_refused(name: str) -> None:
    changed = CHANGES[name](signed())
    assert changed != signed()
    with refused(ErrorCode.UNAUTHENTICATED):
        read_delegation(changed)


def test_a22_a_session_may_do_what_its_scopes_say_and_no_more() -> None:
    session = read_delegation(signed(scopes=["run"])).session
    session.require("run")
    assert session.allows("run")
    for sensitive in ("share", "secrets", "install", "delete", "billing"):
        assert not session.allows(sensitive)
        with refused(ErrorCode.FORBIDDEN, saying="sign the request with the wallet"):
            session.require(sensitive)


def test_the_longest_text_and_the_shortest_time() -> None:
    """4,096 characters are read and written, one more is not; a delegation may last a millisecond."""
    engines = [f"{number:064d}" for number in range(32)]
    scopes = ["a", *(f"s{number:039d}" for number in range(14)), "zz"]
    text = signed(engines=engines, scopes=scopes)
    assert len(text) == 4096
    assert write_delegation(read_delegation(text)) == text
    with refused(ErrorCode.INVALID_REQUEST, saying="too long"):
        signed(engines=engines, scopes=[*scopes[:-1], scopes[-1] + "0"])
    assert read_delegation(signed(expires_ms=NOW + 1)).session.expires_ms == NOW + 1
