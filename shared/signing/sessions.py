"""The delegated sessions an engine honours: nonces it offered, delegations it admitted, and their end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import ErrorCode, FloworkError
from shared.signing.delegation import (
    DelegatedSession,
    DelegationOffer,
    SignedDelegation,
    read_delegation,
)
from shared.signing.recover import recover_text
from shared.signing.texts import new_nonce

NONCE_LIFETIME_MS = 600_000
CLOCK_SKEW_MS = 60_000


@dataclass(frozen=True, slots=True)
class DelegationPolicy:
    """What this server puts into its offers and demands in return."""

    domain: str
    uri: str
    chain_id: int = 1


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """An admitted delegation as it is stored: the digest of its text and signature, and what it allows."""

    digest: bytes
    session: DelegatedSession


class SessionBook:
    """Offers nonces and keeps admitted delegations in memory; persisting `entries` is the caller's part.

    ``capacity`` bounds offers and sessions alike. A nonce is burnt by the first delegation that presents it, whether or
    not that one holds, so that a revoked or forgotten session cannot come back.
    """

    def __init__(self, engine_id: str, policy: DelegationPolicy, *, capacity: int = 10_000) -> None:
        self._engine_id = engine_id
        self._policy = policy
        self._capacity = capacity
        self._offers: dict[str, int] = {}
        self._sessions: dict[bytes, DelegatedSession] = {}

    def offer(self, now_ms: int) -> DelegationOffer:
        """Return a fresh offer, good for ten minutes; the oldest one gives way where there are too many."""
        if len(self._offers) >= self._capacity:
            del self._offers[next(iter(self._offers))]
        nonce = new_nonce()
        self._offers[nonce] = now_ms + NONCE_LIFETIME_MS
        return DelegationOffer(self._policy.domain, self._policy.uri, self._policy.chain_id, nonce)

    def claimed(self, signed: SignedDelegation, now_ms: int) -> DelegatedSession:
        """Return the session a delegation speaks of, as far as that can be told without its signature.

        `confirm` must follow once the session key has proven itself. Raises UNAUTHENTICATED or STALE.
        """
        session = self._sessions.get(_digest(signed))
        if session is None:
            session = self._read(signed, now_ms)
        if session.wallet != signed.wallet.lower():
            raise _refusal("it is of another wallet than the message")
        if session.expires_ms <= now_ms:
            raise FloworkError(ErrorCode.STALE, "The delegation has expired; sign a new one with the wallet.")
        return session

    def confirm(self, signed: SignedDelegation, session: DelegatedSession, now_ms: int) -> None:
        """Admit a claimed session: burn its nonce and check the wallet's signature, once per delegation.

        Raises UNAUTHENTICATED, BAD_SIGNATURE or RATE_LIMITED.
        """
        digest = _digest(signed)
        if digest in self._sessions:
            return
        if self._offers.pop(session.nonce, 0) <= now_ms:
            raise _refusal("its nonce was not offered here, is too old, or was used before")
        if recover_text(signed.message, signed.signature) != session.wallet:
            raise FloworkError(ErrorCode.BAD_SIGNATURE, "Invalid signature of the delegation.")
        if any(open_session.session_address == session.wallet for open_session in self._sessions.values()):
            raise _refusal("a session key cannot delegate")
        self._make_room(now_ms)
        self._sessions[digest] = session

    def revoke(self, address: str) -> int:
        """End every session of a wallet, or of a session key; return how many there were."""
        ended = [
            digest
            for digest, session in self._sessions.items()
            if address.lower() in {session.wallet, session.session_address}
        ]
        for digest in ended:
            del self._sessions[digest]
        return len(ended)

    def entries(self) -> list[SessionEntry]:
        """Return what must be stored for the sessions to survive a restart."""
        return [SessionEntry(digest, session) for digest, session in self._sessions.items()]

    def load(self, entries: Iterable[SessionEntry], now_ms: int) -> None:
        """Honour again the stored sessions that have not expired."""
        for entry in entries:
            if entry.session.expires_ms > now_ms:
                self._sessions[entry.digest] = entry.session

    def _read(self, signed: SignedDelegation, now_ms: int) -> DelegatedSession:
        delegation = read_delegation(signed.message)
        offer, session = delegation.offer, delegation.session
        demanded = DelegationOffer(self._policy.domain, self._policy.uri, self._policy.chain_id, offer.nonce)
        if offer != demanded:
            raise _refusal("it was made for another domain, uri or chain")
        if self._engine_id not in session.engines:
            raise _refusal("it does not name this engine")
        if delegation.issued_ms > now_ms + CLOCK_SKEW_MS:
            raise FloworkError(ErrorCode.STALE, "The delegation was issued in the future; check the clock.")
        if delegation.begins_ms is not None and delegation.begins_ms > now_ms:
            raise FloworkError(ErrorCode.STALE, "The delegation is not valid yet.")
        return session

    def _make_room(self, now_ms: int) -> None:
        if len(self._sessions) < self._capacity:
            return
        for digest in [digest for digest, item in self._sessions.items() if item.expires_ms <= now_ms]:
            del self._sessions[digest]
        if len(self._sessions) >= self._capacity:
            raise FloworkError(
                ErrorCode.RATE_LIMITED, "Too many sessions are open on this engine.", retry_after=60
            )


def _digest(signed: SignedDelegation) -> bytes:
    return hashlib.sha256(f"{signed.signature}\n{signed.message}".encode()).digest()


def _refusal(problem: str) -> FloworkError:
    return FloworkError(ErrorCode.UNAUTHENTICATED, f"The delegation cannot be accepted: {problem}.")
