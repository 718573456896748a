"""Whose address a request has, with and without proxies."""

from __future__ import annotations

import logging

import pytest

from gateway.web.peers import Peers
from shared.errors import ErrorCode, FloworkError

CASES = [
    ("", "198.51.100.7", "", "198.51.100.7"),
    ("", "127.0.0.1", "203.0.113.9", "127.0.0.1"),
    ("127.0.0.1", "127.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("127.0.0.1", "127.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
    ("127.0.0.1, 10.0.0.0/8", "127.0.0.1", "1.2.3.4, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
    ("10.0.0.0/8", "10.0.0.1", "10.0.0.2", "10.0.0.2"),
    ("127.0.0.1", "127.0.0.1", "nonsense", "127.0.0.1"),
    ("::1", "::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("127.0.0.1", "::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("", "", "", "unknown"),
]


@pytest.mark.parametrize(("trusted", "peer", "forwarded", "address"), CASES)
def test_the_first_address_nobody_vouches_for(trusted: str, peer: str, forwarded: str, address: str) -> None:
    environ = {"REMOTE_ADDR": peer} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})
    assert Peers(trusted).of(environ) == address


def test_an_unexpected_proxy_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    peers = Peers("")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            peers.of({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"})
    assert len([record for record in caplog.records if "GATEWAY_TRUSTED_PROXIES" in record.message]) == 1


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(FloworkError) as refused:
        Peers("the proxy")
    assert refused.value.code is ErrorCode.CONFIGURATION
