"""Signed requests over HTTP: both forms, their windows, and that each counts once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.clock import ManualClock
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, in_process

PROFILE = "/api/v1/auth/profile"
ENGINES = "/api/v1/user/engines"


def documented(gateway: Gateway, wallet: WalletKey, message: str) -> tuple[int, str]:
    answer = gateway.send("GET", PROFILE, headers=gateway.socket_headers(wallet, message))
    return answer.status_code, answer.json().get("error", "")


def test_documented_texts(timed: Gateway, wallet: WalletKey) -> None:
    now = timed.now() // 1000
    for message in (
        f"flowork_api_auth|{wallet.address}|{now}",
        f"flowork_api_auth|{wallet.address.lower()}|{now - 299}",
        f"my own text|{now + 299}",
        f"{timed.now()}",
    ):
        assert documented(timed, wallet, message) == (200, "")


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("flowork_api_auth|ADDRESS|{old}", "Stale authentication signature."),
        ("flowork_api_auth|ADDRESS|{early}", "Stale authentication signature."),
        ("flowork_api_auth|ADDRESS|", "Invalid authentication message format."),
        ("flowork_api_auth|ADDRESS|1e9", "Invalid authentication message format."),
        ("flowork_api_auth|ADDRESS|-{now}", "Invalid authentication message format."),
        ("no time in here", "Invalid authentication message format."),
    ],
)
def test_documented_refusals(timed: Gateway, wallet: WalletKey, message: str, error: str) -> None:
    now = timed.now() // 1000
    text = message.format(now=now, old=now - 301, early=now + 302).replace("ADDRESS", wallet.address)
    assert documented(timed, wallet, text) == (401, error)


@pytest.mark.parametrize("purpose", ["flowork_socket_auth", "flowork_engine", "flowork_anything"])
def test_a_text_signed_for_another_purpose_is_no_proof(
    local: Gateway, wallet: WalletKey, purpose: str
) -> None:
    status, _ = documented(local, wallet, f"{purpose}|{wallet.address}|{local.now() // 1000}")
    assert status == 401


def test_a_text_that_names_another_address_is_no_proof(
    local: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    status, _ = documented(local, wallet, f"flowork_api_auth|{stranger.address}|{local.now() // 1000}")
    assert status == 401


@pytest.mark.parametrize("missing", ["X-User-Address", "X-Signed-Message", "X-Signature"])
def test_every_header_is_needed(local: Gateway, wallet: WalletKey, missing: str) -> None:
    headers = local.headers(wallet, "GET", PROFILE)
    del headers[missing]
    answer = local.send("GET", PROFILE, headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"error": "Missing required authentication headers.", "code": "UNAUTHENTICATED"}


def test_the_signature_of_another_key_is_refused(
    local: Gateway, wallet: WalletKey, stranger: WalletKey
) -> None:
    headers = local.headers(wallet, "GET", PROFILE)
    headers["X-Signature"] = stranger.sign_text(headers["X-Signed-Message"])
    answer = local.send("GET", PROFILE, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "Invalid signature.")


def test_one_signature_serves_the_reads_of_a_second(local: Gateway, wallet: WalletKey) -> None:
    at_ms = local.now()
    for path in ("/auth/profile", "/user/engines", "/auth/profile"):
        assert local.documented(wallet, "GET", path, at_ms=at_ms).status_code == 200


def test_one_signature_serves_different_writes_but_none_twice(local: Gateway, wallet: WalletKey) -> None:
    at_ms = local.now()

    def register(name: str) -> int:
        return local.documented(wallet, "POST", "/user/engines", {"name": name}, at_ms=at_ms).status_code

    assert [register("a"), register("b"), register("a")] == [201, 201, 409]
    assert len(local.call(wallet, "GET", "/user/engines").json()) == 2


def test_a_bound_request_counts_once_even_after_a_restart(tmp_path: Path, wallet: WalletKey) -> None:
    clock = ManualClock()
    with in_process(tmp_path, clock) as gateway:
        headers = gateway.headers(wallet, "GET", ENGINES)
        assert gateway.send("GET", ENGINES, headers=headers).status_code == 200
        assert gateway.send("GET", ENGINES, headers=headers).status_code == 409
    with in_process(tmp_path, clock) as gateway:
        answer = gateway.send("GET", ENGINES, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (409, "REPLAYED")
        clock.advance(301)
        assert gateway.send("GET", ENGINES, headers=headers).json()["code"] == "STALE"


@pytest.mark.parametrize("change", ["method", "path", "query", "body", "message"])
def test_a_bound_signature_covers_the_whole_request(live: Gateway, wallet: WalletKey, change: str) -> None:
    body = json.dumps({"name": "mine"}).encode()
    headers = live.headers(wallet, "POST", ENGINES, body) | {"Content-Type": "application/json"}
    method, target = "POST", ENGINES
    match change:
        case "method":
            method = "GET"
        case "path":
            target = f"{ENGINES}/claim"
        case "query":
            target = f"{ENGINES}?force=1"
        case "body":
            body = json.dumps({"name": "Mine"}).encode()
        case "message":
            headers["X-Signed-Message"] = headers["X-Signed-Message"].replace("POST", "post")
    answer = live.send(method, target, body, headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "BAD_SIGNATURE")
    assert live.call(wallet, "GET", "/user/engines").json() == []


def test_a_bound_signature_covers_the_target_as_it_was_sent(live: Gateway, wallet: WalletKey) -> None:
    for target in (f"{ENGINES}?", f"{ENGINES}?a=%20b&c=d+e", f"{ENGINES}?a=1&a=2", "/api/v1/user/%65ngines"):
        headers = live.headers(wallet, "GET", target)
        answer = live.send("GET", target, headers=headers)
        sent = answer.request.url.raw_path.decode()
        assert (answer.status_code, target) == (200 if sent == target else 401, target), answer.text


def test_the_strict_setting_takes_only_bound_requests(tmp_path: Path, wallet: WalletKey) -> None:
    with in_process(tmp_path, GATEWAY_SIGNATURES="bound") as gateway:
        refused = gateway.documented(wallet, "GET", "/auth/profile")
        assert (refused.status_code, refused.json()["code"]) == (401, "UNAUTHENTICATED")
        assert gateway.call(wallet, "GET", "/auth/profile").status_code == 200


def test_headers_that_name_a_peer_change_nothing(live: Gateway) -> None:
    for name in (
        "X-Forwarded-For",
        "X-Real-IP",
        "CF-Connecting-IP",
        "Forwarded",
        "X-Forwarded-Host",
        "X-Remote-Addr",
    ):
        assert live.send("GET", PROFILE, headers={name: "127.0.0.1"}).status_code == 401
