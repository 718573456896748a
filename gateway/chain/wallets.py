"""Wallets that are contracts (EIP-1271): the contract itself is asked whether it stands behind a signature.

Whoever sends a signature can cause a call of the node, so these are bounded: by caller, in all, and at one time.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass, field

from gateway.chain.calls import call, padded, unhex, word
from gateway.chain.rpc import Node
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.signing.recover import text_digest

_log = logging.getLogger(__name__)

MAGIC = bytes.fromhex("1626ba7e")
"""Selector of ``isValidSignature(bytes32,bytes)``, and what it answers where the signature holds."""
KNOWN_SECONDS = 300.0
MOST_KNOWN = 10_000
PER_PEER = 20
IN_ALL = 600
AT_ONCE = 8


@dataclass(slots=True)
class _Minute:
    number: int = 0
    all: int = 0
    peers: dict[str, int] = field(default_factory=dict)


class ContractWallets:
    """Judges signatures of contract wallets on one chain; ``chain_id`` is what the node has to be on."""

    def __init__(self, node: Node, chain_id: int, clock: Clock) -> None:
        self._node = node
        self._chain_id = chain_id
        self._clock = clock
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._minute = _Minute()
        self._known: dict[bytes, float] = {}
        self._keys_only: dict[bytes, float] = {}

    def stands_behind(self, address: str, message: str, signature: str, peer: str) -> bool:
        """Tell whether the contract at an address accepts a signature over a text.

        ``peer`` is the network address that is counted. Raises RATE_LIMITED, and BAD_SIGNATURE where nobody can tell.
        """
        digest = text_digest(message)
        owner = address.lower().encode()
        key = hashlib.sha256(owner + digest + signature.lower().encode()).digest()
        with self._lock:
            now = self._clock.monotonic()
            if self._known.get(key, 0.0) > now:
                return True
            if self._keys_only.get(owner, 0.0) > now:
                return False
            self._count(peer, now)
        if not self._slots.acquire(blocking=False):
            raise FloworkError(
                ErrorCode.RATE_LIMITED, "Many wallet contracts are being asked; try again.", retry_after=1
            )
        try:
            holds = self._ask(address.lower(), digest, unhex(signature))
        except FloworkError as error:
            _log.warning("a wallet contract could not be asked", extra={"reason": error.message})
            raise FloworkError(
                ErrorCode.BAD_SIGNATURE, "Invalid signature, as far as the wallet's contract could be asked."
            ) from error
        finally:
            self._slots.release()
        with self._lock:
            until = self._clock.monotonic() + KNOWN_SECONDS
            if holds is None:
                _remember(self._keys_only, owner, until)
            elif holds:
                _remember(self._known, key, until)
        return bool(holds)

    def _ask(self, address: str, digest: bytes, signature: bytes) -> bool | None:
        """Return what the contract says, None where there is no contract."""
        if self._node.number("eth_chainId") != self._chain_id:
            raise FloworkError(ErrorCode.CONFIGURATION, f"The node is not on chain {self._chain_id}.")
        if not unhex(self._node.call("eth_getCode", address, "latest")):
            return None
        answer = call(self._node, address, MAGIC + digest + word(64) + padded(signature))
        return len(answer) == len(word(0)) and answer[:4] == MAGIC and not any(answer[4:])

    def _count(self, peer: str, now: float) -> None:
        if self._minute.number != int(now // 60):
            self._minute = _Minute(int(now // 60))
        used = self._minute.peers.get(peer, 0)
        if used >= PER_PEER or self._minute.all >= IN_ALL:
            raise FloworkError(
                ErrorCode.RATE_LIMITED,
                "Too many signatures that only a wallet's contract could judge.",
                retry_after=60 - now % 60,
            )
        self._minute.peers[peer] = used + 1
        self._minute.all += 1


def _remember(kept: dict[bytes, float], key: bytes, until: float) -> None:
    if len(kept) >= MOST_KNOWN:
        kept.clear()
    kept[key] = until
