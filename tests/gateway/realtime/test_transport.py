"""Requests of a client that polls: none of them waits for that client, and none is our mistake."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.gateway.support import WAIT, Gateway
from tests.support.plain_http import NO_TLS

pytestmark = pytest.mark.parametrize("live", ["threading", "eventlet"], indirect=True)
POLLING = "/api/socket.io/?EIO=4&transport=polling"


@pytest.mark.parametrize(
    "packet", [b"7", b"0", b"6", b"2probe", b"x", b"4\xff", b"b4?", b"\x1e".join([b"5"] * 30)]
)
def test_a_packet_of_no_use_is_answered_though_nobody_fetches_the_goodbye(
    live: Gateway, packet: bytes
) -> None:
    with httpx.Client(base_url=live.url, timeout=WAIT, verify=NO_TLS) as client:
        target = f"{POLLING}&sid={json.loads(client.get(POLLING).text[1:])['sid']}"
        assert client.post(target, content=packet).status_code == 400


@pytest.mark.parametrize("last", [b"1", b"44", b"40/nowhere,{}"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_after_the_end_is_refused_as_unknown(live: Gateway, last: bytes, method: str) -> None:
    with httpx.Client(base_url=live.url, timeout=WAIT, verify=NO_TLS) as client:
        target = f"{POLLING}&sid={json.loads(client.get(POLLING).text[1:])['sid']}"
        assert client.post(target, content=last).status_code == 200
        answers = [client.request(method, target, content=b"" if method == "GET" else b"5") for _ in range(2)]
        assert answers[-1].status_code == 400
        assert {answer.status_code for answer in answers} <= {200, 400}, "the goodbye, or nothing"


def test_a_request_without_a_length_holds_no_packet(live: Gateway) -> None:
    with httpx.Client(base_url=live.url, timeout=WAIT, verify=NO_TLS) as client:
        target = f"{POLLING}&sid={json.loads(client.get(POLLING).text[1:])['sid']}"
        assert (
            client.request(
                "POST", target, headers={"Transfer-Encoding": "chunked"}, content=iter([b""])
            ).status_code
            == 400
        )
