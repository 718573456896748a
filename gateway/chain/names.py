"""ENS names: which address a name stands for, and which name an address goes by."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable

from gateway.chain.calls import call, read_address, read_text
from gateway.chain.rpc import Node, unavailable
from shared.clock import Clock
from shared.errors import FloworkError
from shared.signing.native import keccak

_log = logging.getLogger(__name__)

SUFFIX = ".eth"
MOST_LENGTH = 255
KNOWN_SECONDS = 600.0
FAILED_SECONDS = 30.0
MOST_KNOWN = 10_000
_RESOLVER, _ADDR, _NAME = (bytes.fromhex(text) for text in ("0178b8bf", "3b3b57de", "691f3431"))
# Nothing but plain letters: a name with others could look like somebody else's.
_PLAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.eth")


class Names:
    """Looks names up in one registry; without a node there are none."""

    def __init__(self, node: Node | None, chain_id: int, registry: str, clock: Clock) -> None:
        self._node = node
        self._chain_id = chain_id
        self._registry = registry
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, str | None]] = {}
        self._failed_until = 0.0

    def reads(self, identifier: str) -> bool:
        """Tell whether an identifier is a name that is looked up here."""
        return self._node is not None and identifier.lower().endswith(SUFFIX)

    def address_of(self, name: str) -> str | None:
        """Return the address, in lower case, that a name stands for; raises ENGINE_UNAVAILABLE."""
        name = name.lower()
        if _PLAIN.fullmatch(name) is None or len(name) > MOST_LENGTH:
            return None
        return self._remembered(f"n:{name}", lambda node: self._find(node, name))

    def name_of(self, address: str) -> str | None:
        """Return the name an address goes by, if the name stands for the address; None also where nobody can tell."""
        if self._node is None:
            return None
        try:
            return self._remembered(f"a:{address.lower()}", lambda node: self._primary(node, address.lower()))
        except FloworkError as error:
            _log.warning("a name could not be looked up", extra={"reason": error.message})
            return None

    def _remembered(self, key: str, find: Callable[[Node], str | None]) -> str | None:
        with self._lock:
            now = self._clock.monotonic()
            until, value = self._known.get(key, (0.0, None))
            if until > now:
                return value
            if self._node is None or self._failed_until > now:
                raise unavailable("Names cannot be looked up at the moment.")
        try:
            if self._node.number("eth_chainId") != self._chain_id:
                raise unavailable(f"The node is not on chain {self._chain_id}.")
            found = find(self._node)
        except FloworkError:
            with self._lock:
                self._failed_until = self._clock.monotonic() + FAILED_SECONDS
            raise
        with self._lock:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = (self._clock.monotonic() + KNOWN_SECONDS, found)
        return found

    def _find(self, node: Node, name: str) -> str | None:
        place = namehash(name)
        resolver = read_address(call(node, self._registry, _RESOLVER + place))
        return None if resolver is None else read_address(call(node, resolver, _ADDR + place))

    def _primary(self, node: Node, address: str) -> str | None:
        place = namehash(f"{address[2:]}.addr.reverse")
        resolver = read_address(call(node, self._registry, _RESOLVER + place))
        name = None if resolver is None else read_text(call(node, resolver, _NAME + place), MOST_LENGTH)
        if name is None or _PLAIN.fullmatch(name) is None:
            return None
        # Anybody may claim any name for an address of theirs; the name has to agree.
        return name if self._find(node, name) == address else None


def namehash(name: str) -> bytes:
    """Return the node of a name (EIP-137)."""
    found = bytes(32)
    for label in reversed(name.split(".")):
        found = keccak(found + keccak(label.encode()))
    return found
