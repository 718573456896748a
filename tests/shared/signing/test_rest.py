"""Signed REST requests and Socket.IO connects."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from shared.errors import ErrorCode
from shared.signing.keys import WalletKey
from shared.signing.replay import GRACE_MS
from shared.signing.rest import VerifiedRequest, sign_headers, verify_request, verify_socket_auth
from tests.shared.signing.examples import (
    FULL_WIDTH,
    NOW,
    OTHER,
    SECONDS,
    WALLET,
    frame,
    outcome,
    refused,
    spellings,
    vectors,
    verifier,
)

TARGET = "/api/v1/user/engines?x=1"
BODY = b'{"name":"a"}'
DOCUMENTED = f"flowork_api_auth|{WALLET.address}|{SECONDS}"


def judge(
    headers: dict[str, Any],
    method: str = "POST",
    target: str = TARGET,
    body: bytes = BODY,
    *,
    now_ms: int = NOW,
    form: Any = "documented",
) -> VerifiedRequest:
    return verify_request(headers, method, target, body, now_ms=now_ms, form=form)


def bound(**changes: Any) -> dict[str, str]:
    return sign_headers(WALLET, "POST", TARGET, BODY, now_ms=NOW) | changes


def plain(message: str = DOCUMENTED, signer: WalletKey = WALLET, **changes: Any) -> dict[str, Any]:
    return {
        "X-User-Address": signer.address,
        "X-Signed-Message": message,
        "X-Signature": signer.sign_text(message),
    } | changes


@pytest.mark.parametrize("vector", vectors("requests"), ids=lambda v: f"{v['form']} {v['method']}")
def test_requests_of_ethers_hold(vector: dict[str, Any]) -> None:
    request = vector["method"], vector["target"], vector["body"].encode()
    verified = judge(vector["headers"], *request, now_ms=vector["now_ms"])
    assert verified.address == vector["address"].lower()
    assert verified.bound is (vector["form"] == "bound")
    assert (verified.replay_key is None) is (not verified.bound and vector["method"] == "GET")
    strict = outcome(lambda: judge(vector["headers"], *request, now_ms=vector["now_ms"], form="bound"))
    assert strict == (verified if verified.bound else ErrorCode.UNAUTHENTICATED)


def test_a_signed_request_holds_in_the_strict_form() -> None:
    verified = judge(bound(), form="bound")
    assert verified.address == WALLET.address.lower()
    assert verified.bound
    assert verified.expires_ms == NOW + 300_000 + GRACE_MS
    assert bound()["X-Payload-Version"] == "2"


def test_header_names_have_no_case_and_other_headers_may_repeat() -> None:
    shouted: Any = {name.upper(): value for name, value in bound().items()}
    assert judge(shouted).bound

    class Repeated(dict[str, str]):
        def items(self) -> Any:
            return [*super().items(), ("Accept", "a"), ("accept", "b")]

    assert judge(Repeated(bound())).bound


def test_two_headers_of_one_name_are_refused() -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="format"):
        judge(bound() | {"x-user-address": OTHER.address})


@pytest.mark.parametrize("name", ["X-User-Address", "X-Signed-Message", "X-Signature"])
@pytest.mark.parametrize("value", [None, "", 5, ["x"]])
def test_a01_missing_headers_are_named_so(name: str, value: Any) -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="Missing required authentication headers."):
        judge(plain() | {name: value})


def test_the_payload_version_is_not_required() -> None:
    assert judge(plain()).address == WALLET.address.lower()
    assert judge(plain(**{"X-Payload-Version": 2})).address == WALLET.address.lower()


def test_a_replay_key_is_what_it_was_before_an_update() -> None:
    """Else what was used before it could be used again after it."""
    for body in (BODY, b""):
        headers = sign_headers(WALLET, "POST", TARGET, body, now_ms=NOW)
        texts = (WALLET.address.lower(), headers["X-Signed-Message"], "POST", TARGET)
        digests = [hashlib.sha256(part).digest() for part in (*(text.encode() for text in texts), body)]
        expected = hashlib.sha256(b"".join(digests)).digest()
        assert [judge(headers, body=body).replay_key for _ in range(2)] == [expected] * 2


def test_headers_are_found_in_any_spelling_but_not_twice() -> None:
    given = plain()
    assert judge({name.upper(): value for name, value in given.items()}).address == WALLET.address.lower()
    for name in given:
        left_out = {other: value for other, value in given.items() if other != name}
        for twice, value in left_out.items():
            with refused(ErrorCode.UNAUTHENTICATED, saying="Invalid authentication message format."):
                judge(left_out | {twice.lower(): value})


def test_a03_another_claimed_address_is_refused() -> None:
    for headers in (plain(), bound()):
        with refused(ErrorCode.UNAUTHENTICATED, saying="another address"):
            judge(headers | {"X-User-Address": OTHER.address})
    with refused(ErrorCode.BAD_SIGNATURE, saying="Invalid signature."):
        judge(plain(str(SECONDS)) | {"X-User-Address": OTHER.address})


@pytest.mark.parametrize("name", spellings(WALLET.sign_text(DOCUMENTED)))
def test_a04_a05_another_spelling_is_refused(name: str) -> None:
    other = spellings(WALLET.sign_text(DOCUMENTED))[name]
    with refused(ErrorCode.BAD_SIGNATURE, ErrorCode.UNAUTHENTICATED):
        judge(plain() | {"X-Signature": other})


def test_a08_texts_of_the_socket_are_refused_on_rest() -> None:
    socket = f"flowork_engine|{WALLET.address}|engine-1|{NOW}|{'ab' * 16}|{'cd' * 32}"
    for text in (socket, f"flowork_socket_auth|{WALLET.address}|{SECONDS}", f"flowork_engine|{SECONDS}"):
        with refused(ErrorCode.UNAUTHENTICATED, saying="another purpose"):
            judge(plain(text))


def test_a08_a_rest_request_is_refused_on_the_socket() -> None:
    headers = bound()
    text = frame(headers["X-Signed-Message"], signature=headers["X-Signature"])
    with refused(ErrorCode.UNAUTHENTICATED):
        verifier().open(text, NOW)


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("PUT", TARGET, BODY),
        ("POST", TARGET + "&y=2", BODY),
        ("POST", "/api/v1/user/engines", BODY),
        ("POST", TARGET[:-1], BODY),
        ("POST", "", BODY),
        ("POST", TARGET, b""),
        ("POST", TARGET, BODY + b" "),
        ("POST", TARGET + f"|{NOW}", BODY),
        ("POST|/api", "/v1/user/engines?x=1", BODY),
    ],
)
def test_a09_a_signature_moved_to_another_request_is_refused(method: str, target: str, body: bytes) -> None:
    with refused(ErrorCode.BAD_SIGNATURE):
        judge(bound(), method, target, body)


def test_a10_a_documented_write_has_a_key_by_which_its_reuse_is_seen() -> None:
    keys = {
        judge(plain()).replay_key,
        judge(plain(), "PUT").replay_key,
        judge(plain(), target="/api/v1/other").replay_key,
        judge(plain(), body=b"{}").replay_key,
        judge(plain(f"flowork_api_auth|{WALLET.address}|{SECONDS + 1}")).replay_key,
        judge(plain(str(SECONDS), OTHER)).replay_key,
    }
    assert None not in keys
    assert len(keys) == 6
    assert judge(plain()).replay_key == judge(plain(**{"X-User-Address": WALLET.address.lower()})).replay_key


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a10_a_documented_read_may_repeat_within_its_second(method: str) -> None:
    assert judge(plain(), method).replay_key is None
    assert judge(sign_headers(WALLET, method, TARGET, BODY, now_ms=NOW), method).replay_key is not None


def test_a10_the_strict_form_refuses_what_covers_no_request() -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="cover method, path and body"):
        judge(plain(), form="bound")


@pytest.mark.parametrize("at", [SECONDS - 301, SECONDS + 301, 0, 2**63])
def test_a11_a_stale_time_is_named_so(at: int) -> None:
    with refused(ErrorCode.STALE, saying="Stale authentication signature."):
        judge(plain(f"flowork_api_auth|{WALLET.address}|{at}"))


def test_the_spelling_of_a_signature_is_judged_before_the_time() -> None:
    stale = plain(f"flowork_api_auth|{WALLET.address}|{SECONDS - 5000}")
    with refused(ErrorCode.BAD_SIGNATURE):
        judge(stale | {"X-Signature": spellings(stale["X-Signature"])["high s"]})


@pytest.mark.parametrize("now_ms", [NOW - 300_001, NOW + 300_001])
def test_a11_a_stale_bound_time_is_refused(now_ms: int) -> None:
    with refused(ErrorCode.STALE):
        judge(bound(), now_ms=now_ms)


@pytest.mark.parametrize("at", ["", "x", "-1766000000", "1e9", FULL_WIDTH])
def test_a11_a_time_that_is_no_time_is_refused(at: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="Invalid authentication message format."):
        judge(plain(f"flowork_api_auth|{WALLET.address}|{at}"))


@pytest.mark.parametrize(
    "message",
    [
        f"flowork_api_auth|{WALLET.address}|x|{SECONDS}",
        f"flowork_claim|{SECONDS}",
        f"a\nb|{SECONDS}",
        f"flowork_api|{WALLET.address[:-1]}|POST|{TARGET}|{NOW}|{'ab' * 16}|{'cd' * 32}",
        "x" * 9000 + f"|{SECONDS}",
    ],
)
def test_a12_other_texts_are_refused(message: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        judge(plain(message))


def test_a13_any_changed_character_of_the_message_is_refused() -> None:
    headers = bound()
    message = headers["X-Signed-Message"]
    for place, character in enumerate(message):
        changed = message[:place] + chr(ord(character) ^ 1) + message[place + 1 :]
        answer = outcome(lambda changed=changed: judge(headers | {"X-Signed-Message": changed}))
        assert isinstance(answer, ErrorCode), place


@pytest.mark.parametrize("address", ["0x", WALLET.address[2:], WALLET.address + "0"])
def test_a_malformed_address_is_refused(address: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED, saying="format"):
        judge(plain() | {"X-User-Address": address})


@pytest.mark.parametrize("purpose", ["flowork_socket_auth", "flowork_api_auth"])
def test_a_socket_connect_may_be_hours_old(purpose: str) -> None:
    headers = plain(f"{purpose}|{WALLET.address}|{SECONDS}", **{"X-Payload-Version": 2})
    hours = 24 * 3_600_000
    verified = verify_socket_auth(headers, now_ms=NOW + hours - 1000, max_age_ms=hours)
    assert verified.address == WALLET.address.lower()
    assert verified.expires_ms == SECONDS * 1000 + hours
    with refused(ErrorCode.STALE):
        verify_socket_auth(headers, now_ms=NOW + hours, max_age_ms=hours)
    with refused(ErrorCode.STALE):
        verify_socket_auth(headers, now_ms=NOW - 301_000, max_age_ms=hours)


@pytest.mark.parametrize(
    "message", [str(SECONDS), f"x|{SECONDS}", f"flowork_socket_auth|{OTHER.address}|{SECONDS}"]
)
def test_a_socket_connect_needs_a_text_of_its_own(message: str) -> None:
    with refused(ErrorCode.UNAUTHENTICATED):
        verify_socket_auth(plain(message), now_ms=NOW, max_age_ms=300_000)


def test_a_socket_connect_with_a_signature_of_another_is_refused() -> None:
    message = f"flowork_socket_auth|{WALLET.address}|{SECONDS}"
    with refused(ErrorCode.BAD_SIGNATURE):
        verify_socket_auth(
            plain(message, **{"X-Signature": OTHER.sign_text(message)}), now_ms=NOW, max_age_ms=300_000
        )


def test_a_target_that_is_not_unicode_still_has_a_key() -> None:
    assert judge(plain(), target="/\udce9").replay_key != judge(plain(), target="/").replay_key


class Contracts:
    """Stands behind what a test wants, and notes what it was asked."""

    def __init__(self, *, stands: bool = True) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self._stands = stands

    def __call__(self, address: str, message: str, signature: str) -> bool:
        self.asked.append((address, message, signature))
        return self._stands


CONTRACT_SIGNATURE = "0x" + "aB" * 100
IMPOSSIBLE = "0x" + "00" * 64 + "1b"


def by_contract(signature: str, contract: Contracts | None, message: str = DOCUMENTED) -> VerifiedRequest:
    given = plain(message) | {"X-Signature": signature}
    return verify_request(given, "GET", "/x", b"", now_ms=NOW, form="documented", contract=contract)


@pytest.mark.parametrize("signature", [CONTRACT_SIGNATURE, OTHER.sign_text(DOCUMENTED), IMPOSSIBLE, "0x00"])
def test_a_contract_may_stand_behind_what_no_key_signed(signature: str) -> None:
    contract = Contracts()
    assert by_contract(signature, contract).address == WALLET.address.lower()
    assert contract.asked == [(WALLET.address, DOCUMENTED, signature)]
    for nobody in (Contracts(stands=False), None):
        with refused(ErrorCode.BAD_SIGNATURE):
            by_contract(signature, nobody)


def test_a_contract_is_not_asked_about_what_its_key_signed_or_what_does_not_name_it() -> None:
    contract = Contracts()
    by_contract(WALLET.sign_text(DOCUMENTED), contract)
    with refused(ErrorCode.BAD_SIGNATURE):
        by_contract(CONTRACT_SIGNATURE, contract, str(SECONDS))
    for unreadable in ("0x", "0x" + "ab" * 2049, "0xabc", "xx" * 65):
        with refused(ErrorCode.BAD_SIGNATURE):
            by_contract(unreadable, contract)
    assert contract.asked == []
    assert by_contract("0x" + "ab" * 2048, contract)


def test_a_contract_may_sign_a_page_in() -> None:
    text = f"flowork_socket_auth|{WALLET.address}|{SECONDS}"
    given = plain(text) | {"X-Signature": CONTRACT_SIGNATURE}
    found = verify_socket_auth(given, now_ms=NOW, max_age_ms=1000, contract=Contracts())
    assert found == VerifiedRequest(WALLET.address.lower(), False, text, None, SECONDS * 1000 + 1000)


@pytest.mark.parametrize(("length", "read"), [(8192, True), (8193, False)])
def test_a_text_has_an_end(length: int, read: bool) -> None:
    tail = f"|{SECONDS}"
    text = "x" * (length - len(tail)) + tail
    if read:
        assert judge(plain(text), "GET").message == text
    else:
        with refused(ErrorCode.UNAUTHENTICATED, saying="format"):
            judge(plain(text), "GET")
