"""Z12: what is judged is what is dialled: no spelling of an address leads where the judgement did not look."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core_engine.components.network import NetworkPolicy
from shared.errors import ErrorCode, FloworkError

POLICY = NetworkPolicy()
V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
PRIVATE = st.sampled_from(
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "0.0.0.0", "100.64.0.1", "224.0.0.1"]
).map(IPv4Address)
EMBEDDED = st.sampled_from(["::ffff:0:0", "::", "64:ff9b::", "64:ff9b:1::", "::ffff:0:0:0"]).map(IPv6Address)


def spellings(address: IPv4Address) -> list[str]:
    number = int(address)
    octets = address.packed
    return [
        str(address), str(number), hex(number), oct(number).replace("0o", "0"), f"{octets[0]}.{number & 0xFFFFFF}",
        ".".join(f"0{octet:o}" for octet in octets), ".".join(hex(octet) for octet in octets),
        f"{octets[0]}.{octets[1]}.{number & 0xFFFF}",
    ]  # fmt: skip


@settings(max_examples=500)
@given(V4 | st.integers(0, 2**128 - 1).map(IPv6Address))
@example(IPv6Address("::1"))
@example(IPv6Address("fe80::1"))
def test_z12_what_is_allowed_is_public_by_the_registries_too(address: IPv4Address | IPv6Address) -> None:
    if POLICY.allows(str(address)):
        assert address.is_global
        assert not address.is_multicast


@settings(max_examples=300)
@given(PRIVATE, EMBEDDED)
def test_z12_a_private_address_is_none_the_less_inside_another(
    address: IPv4Address, outer: IPv6Address
) -> None:
    inside = IPv6Address(int(outer) | int(address))
    assert not POLICY.allows(str(inside)), inside
    assert not POLICY.allows(f"{inside}%eth0")
    six_to_four = IPv6Address((0x2002 << 112) | (int(address) << 80))
    assert not POLICY.allows(str(six_to_four))


@settings(max_examples=200)
@given(PRIVATE | V4, st.integers(0, 7))
def test_z12_every_spelling_is_judged_by_where_it_leads(address: IPv4Address, which: int) -> None:
    try:
        found = socket.getaddrinfo(
            spellings(address)[which], 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
    except OSError:
        return
    for info in found:
        judged = str(info[4][0])
        assert ip_address(judged) == address
        if POLICY.allows(judged):
            POLICY.open_socket(info).close()
        else:
            with pytest.raises(FloworkError) as refused:
                POLICY.open_socket(info)
            assert refused.value.code is ErrorCode.FORBIDDEN
