from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core_engine.components.network import NetworkPolicy
from shared.errors import ErrorCode, FloworkError

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
    "2001::1",
    "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::808:808", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "::ffff:0:127.0.0.1", "3fff::1", "100::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.15.0.1",
    "172.32.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not NetworkPolicy().allows(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert NetworkPolicy().allows(address)


def test_named_networks_are_allowed_and_only_they() -> None:
    policy = NetworkPolicy(["127.0.0.0/8", " ::1/128 ", ""])
    assert policy.allows("127.0.0.1")
    assert policy.allows("::ffff:127.0.0.1")
    assert policy.allows("::1")
    assert not policy.allows("10.0.0.1")


def test_a_wrong_network_stops_the_start() -> None:
    with pytest.raises(FloworkError) as caught:
        NetworkPolicy(["127.0.0.1/8"])
    assert caught.value.code is ErrorCode.CONFIGURATION


@given(st.text(max_size=30))
def test_what_is_no_address_is_refused(text: str) -> None:
    assert NetworkPolicy(["0.0.0.0/0"]).allows(text) in (True, False)
    if not any(sign.isdigit() or sign == ":" for sign in text):
        assert not NetworkPolicy().allows(text)


def test_the_socket_is_made_for_allowed_addresses_only() -> None:
    policy = NetworkPolicy(["127.0.0.0/8"])
    stream = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
    with policy.open_socket((*stream, ("127.0.0.1", 80))) as made:
        assert made.family is socket.AF_INET
    for info in (
        (*stream, ("10.0.0.1", 80)),
        (socket.AF_UNIX, socket.SOCK_STREAM, 0, "", ("/run/docker.sock",)),
    ):
        with pytest.raises(FloworkError) as caught:
            policy.open_socket(info)
        assert caught.value.code is ErrorCode.FORBIDDEN
