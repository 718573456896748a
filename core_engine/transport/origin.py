"""Which web pages may open the raw WebSocket; programs send no Origin and are not asked."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class OriginRule:
    """Knows the allowed web origins: those configured and those under which the gateway serves its pages."""

    def __init__(self, configured: Iterable[str], gateway_url: str) -> None:
        origins = {_normal(origin) for origin in configured}
        origins |= _of_gateway(gateway_url)
        self._allowed = frozenset(origins - {""})

    def allows(self, origins: list[str]) -> bool:
        """Tell whether a handshake with these Origin headers may go on: none at all, or a single allowed one."""
        if not origins:
            return True
        return len(origins) == 1 and _normal(origins[0]) in self._allowed

    def has_page(self, domain: str) -> bool:
        """Tell whether an allowed page stands under this name, which has a port where the origin has one."""
        return any(f"{scheme}://{domain.lower()}" in self._allowed for scheme in ("https", "http"))


def _normal(origin: str) -> str:
    return origin.strip().rstrip("/").lower()


def _of_gateway(url: str) -> set[str]:
    if not url:
        return set()
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    # A page of a local gateway is opened as localhost as often as by its number.
    hosts = _LOOPBACK if host in _LOOPBACK else (host,)
    return {f"{parts.scheme}://{name}{port}" for name in hosts}
