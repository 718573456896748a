"""Which names the gateway answers to, so that no foreign name can be pointed at it (DNS rebinding)."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from gateway.settings import Server

ANY = "*"
EVERYWHERE = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared, not bound
LOCAL = "localhost"
MOST_REMEMBERED = 256


class Hosts:
    """The allowed names: loopback, the bind address, the public URL's and the configured ones."""

    def __init__(self, settings: Server) -> None:
        given = {part.strip().lower() for part in settings.allowed_hosts.split(",") if part.strip()}
        public = urlsplit(settings.public_url).hostname
        self._any = ANY in given
        self._names = given | {settings.host.lower()} | ({public.lower()} if public else set())
        self._everywhere = settings.host in EVERYWHERE

    def allows(self, environ: dict[str, Any]) -> bool:
        """Tell whether the request names a host that is ours; a request without a name came from no browser.

        A target may name one, too, which then goes before the header's (RFC 9112 §3.2.2): both have to be ours.
        """
        if self._any:
            return True
        header = environ.get("HTTP_HOST", "").strip().lower()
        named = _named_by_target(environ)
        return (not header or self._knows(header)) and (named is None or self._knows(named))

    def has_page(self, domain: str) -> bool:
        """Tell whether our page stands under this name, with or without a port.

        Stricter than `allows`: a wallet signed for the page of this name, so "any name" is none, and of numbers only
        those that nobody outside can have a page under.
        """
        name = _name(domain.lower())
        return name is not None and (name in self._names - {ANY} or _is_near(name))

    def _knows(self, header: str) -> bool:
        name = _name(header)
        return name is not None and (name in self._names or self._is_ours(name))

    def _is_ours(self, name: str) -> bool:
        if name == LOCAL or name.endswith(f".{LOCAL}"):
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        # Who listens everywhere does not know all its addresses; a number cannot be rebound to another one.
        return address.is_loopback or self._everywhere


def _named_by_target(environ: dict[str, Any]) -> str | None:
    """Return the host in a target that is a whole address; None for one that is a path, as browsers send it."""
    target = environ.get("RAW_PATH_INFO") or environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
    if target.startswith("/") or target == "*":
        return None
    try:
        return urlsplit(target).netloc.lower()
    except ValueError:
        return ""


def _is_near(name: str) -> bool:
    if name == LOCAL or name.endswith(f".{LOCAL}"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_private


@lru_cache(MOST_REMEMBERED)
def _name(header: str) -> str | None:
    try:
        parts = urlsplit(f"//{header}")
        name = parts.hostname
        _ = parts.port
    except ValueError:
        return None
    plain = not parts.path and not parts.query and parts.username is None
    return name.rstrip(".") if name and plain else None
