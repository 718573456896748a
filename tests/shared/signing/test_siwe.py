"""Sign-in texts (EIP-4361): the strict grammar both ways."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import ErrorCode
from shared.signing.recover import recover_text
from shared.signing.siwe import SignIn, read_sign_in, write_sign_in
from tests.shared.signing.examples import NOW, WALLET, outcome, refused, vectors

SIGN_IN = SignIn(
    domain="127.0.0.1:8000",
    address=WALLET.address,
    uri="http://127.0.0.1:8000/app?x=1#y",
    chain_id=1,
    nonce="ab" * 16,
    issued_ms=NOW,
    statement="Sign in, please: (1 of 2).",
    expires_ms=NOW + 60_000,
    begins_ms=NOW,
    resources=("urn:a:b", "https://a.example/%20"),
)
TEXT = write_sign_in(SIGN_IN)


def milliseconds(text: str | None) -> int | None:
    return round(datetime.fromisoformat(text).timestamp() * 1000) if text else None


@pytest.mark.parametrize("vector", vectors("sign_in"), ids=lambda v: v["fields"]["uri"])
def test_texts_of_the_siwe_package_are_read_and_written_alike(vector: dict[str, Any]) -> None:
    sign_in, fields = read_sign_in(vector["text"]), vector["fields"]
    assert write_sign_in(sign_in) == vector["text"]
    assert recover_text(vector["text"], vector["signature"]) == sign_in.address.lower()
    assert sign_in == SignIn(
        domain=fields["domain"],
        address=fields["address"],
        uri=fields["uri"],
        chain_id=fields["chainId"],
        nonce=fields["nonce"],
        issued_ms=milliseconds(fields["issuedAt"]) or 0,
        statement=fields.get("statement"),
        expires_ms=milliseconds(fields.get("expirationTime")),
        begins_ms=milliseconds(fields.get("notBefore")),
        resources=tuple(fields["resources"]) if "resources" in fields else None,
    )


def test_a_text_comes_back_as_it_was() -> None:
    assert read_sign_in(TEXT) == SIGN_IN
    short = SignIn("a.example", WALLET.address, "did:key:z", 137, "abcdefgh", 0)
    assert read_sign_in(write_sign_in(short)) == short
    assert read_sign_in(TEXT.replace(".123Z", "Z")).issued_ms == NOW - 123


CHANGES = {
    "another sentence": lambda t: t.replace("wants you", "want you"),
    "scheme": lambda t: "https://" + t,
    "domain with a path": lambda t: t.replace("8000 wants", "8000/x wants"),
    "domain with a user": lambda t: "evil@" + t,
    "domain of another script": lambda t: "\u0440aypal.com" + t[14:],
    "address in lower case": lambda t: t.replace(WALLET.address, WALLET.address.lower()),
    "address too short": lambda t: t.replace(WALLET.address, WALLET.address[:-1]),
    "no empty line": lambda t: t.replace("\n\nURI", "\nURI"),
    "three empty lines": lambda t: t.replace("\n\nURI", "\n\n\nURI"),
    "statement of two lines": lambda t: t.replace("Sign in,", "Sign\nin,"),
    "statement with other letters": lambda t: t.replace("Sign", "S\u0456gn"),
    "statement turned round": lambda t: t.replace("Sign", "\u202eSign"),
    "uri without scheme": lambda t: t.replace("URI: http://", "URI: //"),
    "uri with a space": lambda t: t.replace("/app", "/a pp"),
    "uri with a bracket": lambda t: t.replace("/app", "/a[pp"),
    "uri with half an escape": lambda t: t.replace("/app", "/%2"),
    "uri with two fragments": lambda t: t.replace("#y", "#y#z"),
    "uri with a port of letters": lambda t: t.replace("8000/app", "80o0/app"),
    "uri with an IP address that is none": lambda t: t.replace("http://127.0.0.1", "http://[1:2]"),
    "domain with an IP address that is none": lambda t: "[::::]" + t[14:],
    "resource with an IP address that is none": lambda t: t.replace("https://a.example", "https://[1.2.3.4]"),
    "version 2": lambda t: t.replace("Version: 1", "Version: 2"),
    "chain 0": lambda t: t.replace("Chain ID: 1", "Chain ID: 0"),
    "chain 01": lambda t: t.replace("Chain ID: 1", "Chain ID: 01"),
    "chain in other digits": lambda t: t.replace("Chain ID: 1", "Chain ID: \uff11"),
    "nonce too short": lambda t: t.replace("ab" * 16, "abcdefg"),
    "nonce with a sign": lambda t: t.replace("ab" * 16, "ab-" * 8),
    "a17 nonce only in the statement": lambda t: t.replace(f"\nNonce: {'ab' * 16}", "").replace(
        "please", "Nonce: " + "ab" * 16
    ),
    "two nonces": lambda t: t.replace("\nIssued", f"\nNonce: {'cd' * 16}\nIssued"),
    "other order": lambda t: t.replace("Version: 1\nChain ID: 1", "Chain ID: 1\nVersion: 1"),
    "time with offset": lambda t: t.replace(".123Z", ".123+00:00"),
    "time of two digits": lambda t: t.replace(".123Z", ".12Z"),
    "time without zone": lambda t: t.replace(".123Z", ".123"),
    "month 13": lambda t: t.replace("2025-12-", "2025-13-"),
    "day that does not exist": lambda t: t.replace("2025-12-17", "2025-02-30"),
    "hour 24": lambda t: t.replace("T19:", "T24:"),
    "request id": lambda t: t.replace("\nResources", "\nRequest ID: 1\nResources"),
    "resource that is no uri": lambda t: t + "\n- no uri",
    "resource without mark": lambda t: t.replace("- urn:a:b", "urn:a:b"),
    "line end at the end": lambda t: t + "\n",
    "Windows line ends": lambda t: t.replace("\n", "\r\n"),
    "more text": lambda t: t + "\n\nP.S.",
    "nothing": lambda _: "",
}


@pytest.mark.parametrize("name", CHANGES)
def test_a17_a18_a19_what_the_grammar_does_not_produce_is_refused(name: str) -> None:
    changed = CHANGES[name](TEXT)
    assert changed != TEXT
    with refused(ErrorCode.UNAUTHENTICATED):
        read_sign_in(changed)


@pytest.mark.parametrize(
    "uri",
    ["urn:flowork:engine:a", "http://[::1]:8000/x", "http://user:pw@a.example", "file:///x/y", "a:", "a:/b?c?d#e/f?",
     "mailto:a@b.example", "https://a.example:/%C3%A9/", "x+y.z-1:b//c"],
)  # fmt: skip
def test_uris_of_rfc_3986_are_read(uri: str) -> None:
    assert read_sign_in(TEXT.replace(SIGN_IN.uri, uri).replace("urn:a:b", uri)).uri == uri


def test_a_long_text_costs_no_time() -> None:
    for piece in ("a", "/", "a/", "%20", ":", "@", "?", "[", "\n- a:", "-."):
        for place in ("127.0.0.1:8000", SIGN_IN.uri, "urn:a:b", "Sign"):
            started = time.thread_time()
            outcome(
                lambda place=place, piece=piece: read_sign_in(TEXT.replace(place, f"a:{piece * 2000}\x00", 1))
            )
            assert time.thread_time() - started < 0.5


@settings(deadline=None, max_examples=300)
@given(place=st.integers(0, len(TEXT)), cut=st.integers(0, 3), more=st.text(max_size=3))
def test_z2_whatever_is_read_is_written_back_the_same(place: int, cut: int, more: str) -> None:
    changed = TEXT[:place] + more + TEXT[place + cut :]
    answer = outcome(lambda: read_sign_in(changed))
    if answer is ErrorCode.UNAUTHENTICATED:
        return
    written = write_sign_in(answer)
    assert written == changed or read_sign_in(written) == answer  # a time may lack its milliseconds
    assert written.replace(".000Z", "Z") == changed.replace(".000Z", "Z")


@pytest.mark.parametrize(
    "change",
    [
        {"domain": "a b"},
        {"domain": ""},
        {"statement": "two\nlines"},
        {"statement": ""},
        {"uri": "no uri"},
        {"chain_id": 0},
        {"nonce": "short"},
        {"issued_ms": 10**18},
        {"expires_ms": -(10**18)},
        {"resources": ("urn:a:b\n- urn:c:d",)},
        {"address": "0x"},
    ],
)
def test_what_does_not_fit_is_not_written(change: dict[str, Any]) -> None:
    members = {name: getattr(SIGN_IN, name) for name in SignIn.__slots__}
    with refused(ErrorCode.INVALID_REQUEST):
        write_sign_in(SignIn(**(members | change)))
