"""What may stand in a request's body."""

from __future__ import annotations

import json

import httpx
import pytest

from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway
from tests.support.plain_http import NO_TLS

TARGET = "/api/v1/user/engines"
LIMIT = 1024 * 1024


def post(gateway: Gateway, wallet: WalletKey, body: bytes, **headers: str) -> httpx.Response:
    given = gateway.headers(wallet, "POST", TARGET, body) | {"Content-Type": "application/json"} | headers
    return gateway.send("POST", TARGET, body, {name: value for name, value in given.items() if value})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"name"',
        b"null",
        b'{"name": "a", "name": "b"}',
        b'{"name": "a", "x": NaN}',
        b'{"name": "a", "x": 1e400}',
        b'{"name": "a", "x": 9007199254740993}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "a", "x": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"name": "a"} {"name": "b"}',
    ],
)
def test_only_unambiguous_objects_are_read(local: Gateway, wallet: WalletKey, body: bytes) -> None:
    answer = post(local, wallet, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_REQUEST")
    assert local.call(wallet, "GET", "/user/engines").json() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": "application/xml"},
        {"Content_Type": "multipart/form-data; boundary=x"},
        {"Content_Type": "application/x-www-form-urlencoded"},
        {"Content_Type": ""},
        {"Content_Encoding": "gzip"},
    ],
)
def test_other_media_are_refused(local: Gateway, wallet: WalletKey, headers: dict[str, str]) -> None:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = post(local, wallet, b'{"name": "a"}', **given)
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA")


def test_the_charset_may_be_named(local: Gateway, wallet: WalletKey) -> None:
    answer = post(local, wallet, b'{"name": "a"}', **{"Content-Type": "application/json; charset=utf-8"})
    assert answer.status_code == 201


def test_a_body_may_come_in_chunks(live: Gateway, wallet: WalletKey) -> None:
    body = json.dumps({"name": "in chunks"}).encode()
    headers = live.headers(wallet, "POST", TARGET, body) | {"Content-Type": "application/json"}
    parts = iter([body[:5], body[5:]])
    answer = httpx.post(live.url + TARGET, content=parts, headers=headers, timeout=10, verify=NO_TLS)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("size", [LIMIT + 1, 4 * LIMIT])
def test_a_body_beyond_the_limit_is_refused(live: Gateway, wallet: WalletKey, size: int) -> None:
    answer = post(live, wallet, b" " * size)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


def test_chunks_beyond_the_limit_are_refused(live: Gateway, wallet: WalletKey) -> None:
    headers = live.headers(wallet, "POST", TARGET, b"") | {"Content-Type": "application/json"}
    parts = (b" " * 65_536 for _ in range(20))
    answer = httpx.post(live.url + TARGET, content=parts, headers=headers, timeout=10, verify=NO_TLS)
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")


def test_a_body_at_the_limit_is_read(live: Gateway, wallet: WalletKey) -> None:
    body = json.dumps({"name": "a", "filler": ""}).encode()
    body = body[:-2] + b"x" * (LIMIT - len(body)) + body[-2:]
    assert len(body) == LIMIT
    assert post(live, wallet, body).status_code == 201
