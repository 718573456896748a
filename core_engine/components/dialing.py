"""Turns a host's name into the address that is dialled, judged once and used as judged."""

from __future__ import annotations

import socket

from core_engine.components.network import NetworkPolicy
from shared.errors import ErrorCode, FloworkError


def resolve(network: NetworkPolicy, host: str, port: int) -> str:
    """Return the address to dial for a host; blocks. Raises FloworkError FORBIDDEN or COMPONENT_FAILED.

    All addresses of the name must be allowed, so that no second one is reached when the first does not answer.
    """
    if not host or any(ord(sign) <= 32 or sign in "/\\,@" for sign in host):
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{host!r} is not the name of a host.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, f"The host {host!r} was not found: {error}.") from None
    addresses = [str(item[4][0]) for item in found]
    for address in addresses:
        if not network.allows(address):
            raise FloworkError(
                ErrorCode.FORBIDDEN,
                f"{address} is not a public address; the engine's owner can allow its network"
                " with ENGINE_HTTP_PRIVATE_NETWORKS.",
            )
    return addresses[0]
