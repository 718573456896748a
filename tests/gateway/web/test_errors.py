"""Errors in the documented shape."""

from __future__ import annotations

import pytest

from gateway.resources.accounts.service import Accounts
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway


def test_not_found(live: Gateway) -> None:
    for path in ("/api/v1/nothing", "/api", "/api/", "/api/v2/system/health", "/api/v1/system/health/"):
        answer = live.send("GET", path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == {"error": "Not Found", "code": "NOT_FOUND"}


def test_method_not_allowed(live: Gateway) -> None:
    answer = live.send("PATCH", "/api/v1/user/engines")
    assert answer.status_code == 405
    assert answer.json() == {"error": "Method Not Allowed", "code": "METHOD_NOT_ALLOWED"}
    assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert live.send("OPTIONS", "/api/v1/user/engines").status_code == 405


def test_what_is_unexpected_is_logged_once_and_not_told(
    timed: Gateway, wallet: WalletKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_self: Accounts, _address: str) -> None:
        raise RuntimeError("the secret text")

    monkeypatch.setattr(Accounts, "profile", broken)
    answer = timed.call(wallet, "GET", "/auth/profile")
    assert answer.status_code == 500
    body = answer.json()
    assert (body["error"], body["code"]) == ("Internal Server Error", "INTERNAL")
    assert "secret" not in answer.text
    logged = [record for record in caplog.records if record.exc_info]
    assert [record.incident for record in logged] == [body["details"]["incident"]]


def test_an_answer_that_is_not_in_the_contract_is_our_fault(
    timed: Gateway, wallet: WalletKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Accounts, "profile", lambda _self, _address: {"user_id": "no address"})
    answer = timed.call(wallet, "GET", "/auth/profile")
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "no address" not in answer.text
