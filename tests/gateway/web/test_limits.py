"""Rate limits of a real gateway: who is counted by what, what a refusal says, and nobody uses up another's share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from flask import Flask, request

from gateway.settings import Limits
from gateway.web.limits import RateLimits
from gateway.web.peers import Peers
from shared.clock import SystemClock
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, in_process

OPEN = "/api/v1/auth/login"
HEALTH = "/api/v1/system/health"


@contextlib.contextmanager
def limited(folder: Path, **rates: str) -> Iterator[Gateway]:
    with in_process(folder, **{f"GATEWAY_RATE_{name}": value for name, value in rates.items()}) as gateway:
        yield gateway


def refused(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.json()["code"] == "RATE_LIMITED"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    return True


def test_an_identity_has_its_own_share(tmp_path: Path, wallet: WalletKey, stranger: WalletKey) -> None:
    with limited(tmp_path, PER_ADDRESS="5") as gateway:
        answers = [gateway.call(wallet, "GET", "/auth/profile") for _ in range(6)]
        assert [refused(answer) for answer in answers] == [False] * 5 + [True]
        assert gateway.call(stranger, "GET", "/auth/profile").status_code == 200


def test_false_proofs_use_up_nothing_of_those_who_sign(
    tmp_path: Path, wallet: WalletKey, stranger: WalletKey
) -> None:
    with limited(tmp_path, UNAUTHENTICATED="3", PER_ADDRESS="3") as gateway:
        forged = gateway.headers(stranger, "GET", "/api/v1/auth/profile") | {"X-User-Address": wallet.address}
        answers = [gateway.send("GET", "/api/v1/auth/profile", headers=forged) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert refused(gateway.send("POST", OPEN))
        assert [gateway.call(wallet, "GET", "/auth/profile").status_code for _ in range(3)] == [200] * 3
        assert gateway.send("GET", HEALTH).status_code == 200


def test_one_network_address_has_an_end_too(tmp_path: Path) -> None:
    with limited(tmp_path, PER_IP="4") as gateway:
        assert [refused(gateway.send("GET", HEALTH)) for _ in range(5)] == [False] * 4 + [True]
        assert gateway.send("GET", "/").status_code == 200


def test_socket_connections_are_counted_too(tmp_path: Path) -> None:
    path = "/api/socket.io/?EIO=4&transport=polling"
    with limited(tmp_path, PER_IP="3") as gateway:
        opened = [gateway.send("GET", path) for _ in range(4)]
        assert [refused(answer) for answer in opened] == [False] * 3 + [True]
        sid = opened[0].text.partition('"sid":"')[2].partition('"')[0]
        going_on = gateway.send("POST", f"{path}&sid={sid}", b"40/gui-socket,{}")
        assert going_on.status_code == 200
        assert refused(gateway.send("GET", HEALTH))


def test_token_resets_are_few(tmp_path: Path, wallet: WalletKey) -> None:
    with limited(tmp_path, STRICT="2") as gateway:
        engine_id, _ = gateway.register_engine(wallet)
        path = f"/user/engines/{engine_id}/reset-token"
        assert [refused(gateway.call(wallet, "POST", path)) for _ in range(3)] == [False, False, True]
        assert gateway.call(wallet, "GET", "/user/engines").status_code == 200


@pytest.mark.parametrize(("trusted", "seen"), [("", [False, False, True]), ("127.0.0.0/8", [False] * 3)])
def test_a_forwarded_address_counts_from_a_trusted_proxy_only(
    tmp_path: Path, trusted: str, seen: list[bool]
) -> None:
    with in_process(tmp_path, GATEWAY_RATE_PER_IP="2", GATEWAY_TRUSTED_PROXIES=trusted) as gateway:
        found = [
            refused(gateway.send("GET", HEALTH, headers={"X-Forwarded-For": f"203.0.113.{number}"}))
            for number in range(3)
        ]
        assert found == seen


def test_without_redis_each_process_counts_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    site = Flask("limits")
    limits = RateLimits(site, Limits(per_ip=2), Peers(""), SystemClock(), "redis://127.0.0.1:1/0")
    with site.test_request_context("/", environ_base={"REMOTE_ADDR": "198.51.100.1"}):
        limits.arrive(request.environ)
        limits.arrive(request.environ)
        with pytest.raises(FloworkError) as refused:
            limits.arrive(request.environ)
    assert refused.value.code is ErrorCode.RATE_LIMITED
    assert "rate limits are counted by this process alone" in caplog.text
