"""Which addresses a step may dial: public ones, and the private networks the engine's owner has named."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from shared.errors import ErrorCode, FloworkError

Network = IPv4Network | IPv6Network

_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        # of IPv6 only 2000::/3 is public; inside it these carry other addresses or are reserved
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
_PUBLIC_V6 = IPv6Network("2000::/3")


class NetworkPolicy:
    """Judges addresses at the moment they are dialled, so what is judged is what is reached.

    ``private_networks`` are networks that may be reached although they are not public.
    """

    def __init__(self, private_networks: Sequence[str] = ()) -> None:
        try:
            self._allowed = tuple(ip_network(text.strip()) for text in private_networks if text.strip())
        except ValueError as error:
            raise FloworkError(ErrorCode.CONFIGURATION, f"ENGINE_HTTP_PRIVATE_NETWORKS: {error}") from error

    def allows(self, address: str) -> bool:
        """Tell whether an IP address (as the resolver or a URL gave it, scope id included) may be dialled."""
        try:
            judged = _unwrap(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if any(judged in network for network in self._allowed if network.version == judged.version):
            return True
        if isinstance(judged, IPv6Address) and judged not in _PUBLIC_V6:
            return False
        return not any(judged in network for network in _NOT_PUBLIC if network.version == judged.version)

    def open_socket(
        self,
        addr_info: tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]],
    ) -> socket.socket:
        """Make the socket for one address the connector is about to dial; raises FloworkError FORBIDDEN."""
        family, kind, protocol, _name, address = addr_info
        if family not in {socket.AF_INET, socket.AF_INET6} or not self.allows(str(address[0])):
            raise FloworkError(
                ErrorCode.FORBIDDEN,
                f"{address[0]} is not a public address; the engine's owner can allow its network"
                " with ENGINE_HTTP_PRIVATE_NETWORKS.",
            )
        return socket.socket(family, kind, protocol)


def _unwrap(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address inside an IPv4-mapped one, which the kernel dials as IPv4."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
