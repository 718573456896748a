"""Which IP address a request comes from; what a header says of it counts only from proxies that are configured."""

from __future__ import annotations

import logging
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from shared.errors import ErrorCode, FloworkError

MOST_HOPS = 20
IPV6_SITE = 64
MOST_REMEMBERED = 1024

_log = logging.getLogger(__name__)


class Peers:
    """Reads the sender's address. ``trusted`` names proxies, comma-separated; raises CONFIGURATION."""

    def __init__(self, trusted: str) -> None:
        try:
            self._trusted = [ip_network(part.strip()) for part in trusted.split(",") if part.strip()]
        except ValueError as error:
            raise FloworkError(ErrorCode.CONFIGURATION, f"GATEWAY_TRUSTED_PROXIES: {error}.") from error
        self._warned = False

    def of(self, environ: dict[str, Any]) -> str:
        """Return the address, for IPv6 that of its site (/64), as text; ``unknown`` where there is none."""
        sender = environ.get("REMOTE_ADDR", "")
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
        if not forwarded:
            return _direct(sender)
        peer = _parse(sender)
        if not self._trusts(peer):
            self._warn()
            return _site(peer)
        for hop in reversed(forwarded.split(",")[-MOST_HOPS:]):
            if not self._trusts(peer):
                break
            peer = _parse(hop) or peer
        return _site(peer)

    def _trusts(self, peer: IPv4Address | IPv6Address | None) -> bool:
        return peer is not None and any(peer in network for network in self._trusted)

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            _log.warning("X-Forwarded-For was ignored: its sender is not one of GATEWAY_TRUSTED_PROXIES")


@lru_cache(MOST_REMEMBERED)
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(MOST_REMEMBERED)
def _site(peer: IPv4Address | IPv6Address | None) -> str:
    if isinstance(peer, IPv6Address):
        return str(ip_network((int(peer), IPV6_SITE), strict=False))
    return "unknown" if peer is None else str(peer)


@lru_cache(MOST_REMEMBERED)
def _direct(sender: str) -> str:
    return _site(_parse(sender))
