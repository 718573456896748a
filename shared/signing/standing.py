"""Delegations that a page brings along: judged by themselves, without a nonce of ours, for as long as they say."""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from shared.errors import ErrorCode, FloworkError
from shared.signing.delegation import (
    ANY_ENGINE,
    MAX_TEXT,
    DelegatedSession,
    DelegationOffer,
    SignedDelegation,
    read_delegation,
)
from shared.signing.recover import is_canonical, recover_text

CLOCK_SKEW_MS = 60_000
CHAIN = 1
"""The chain that pages name; a key signs alike for all of them."""
DELEGATION_HEADER = "X-Delegation"
DELEGATION_SIGNATURE_HEADER = "X-Delegation-Signature"
_TEXT_NAME, _SIGNATURE_NAME = DELEGATION_HEADER.lower(), DELEGATION_SIGNATURE_HEADER.lower()


class StandingDelegations:
    """Accepts a delegation until it ends, if a page of ours asked for it.

    `claimed` comes before the session key has proven itself, `confirm` after it.
    The name in its text is what a wallet shows to its owner and compares with the page that asks: ``is_ours`` tells
    which names count, so that what a foreign page had signed opens nothing here. Without ``engine_id`` (a gateway)
    the list of engines is not looked at. ``capacity`` bounds the signatures that are remembered as good.
    """

    def __init__(
        self, is_ours: Callable[[str], bool], *, engine_id: str | None = None, capacity: int = 1000
    ) -> None:
        self._is_ours = is_ours
        self._engine_id = engine_id
        self._capacity = capacity
        self._good: OrderedDict[bytes, None] = OrderedDict()

    def claimed(self, signed: SignedDelegation, now_ms: int) -> DelegatedSession:
        """Return the session a delegation speaks of; raises UNAUTHENTICATED or STALE."""
        delegation = read_delegation(signed.message)
        session = delegation.session
        if session.wallet != signed.wallet.lower():
            raise _refusal("it is of another wallet than the message")
        self._check_page(delegation.offer)
        if self._engine_id is not None and not {self._engine_id, ANY_ENGINE} & set(session.engines):
            raise _refusal("it does not name this engine")
        if delegation.issued_ms > now_ms + CLOCK_SKEW_MS or (delegation.begins_ms or 0) > now_ms:
            raise FloworkError(ErrorCode.STALE, "The delegation begins in the future; check the clock.")
        if session.expires_ms <= now_ms:
            raise expired()
        return session

    def confirm(self, signed: SignedDelegation, session: DelegatedSession) -> None:
        """Check the wallet's signature, once per delegation; raises BAD_SIGNATURE."""
        if not is_canonical(signed.signature):  # no other text is sure to have bytes for a digest
            raise _forgery()
        digest = hashlib.sha256(f"{signed.signature}\n{signed.message}".encode()).digest()
        if digest in self._good:
            return
        if recover_text(signed.message, signed.signature) != session.wallet:
            raise _forgery()
        self._good[digest] = None
        while len(self._good) > self._capacity:
            self._good.popitem(last=False)

    def _check_page(self, offer: DelegationOffer) -> None:
        domain = offer.domain
        if not self._is_ours(domain):
            raise _refusal(f"it was made for {domain}, which is no page of this server")
        if offer.uri not in {f"https://{domain}", f"http://{domain}"}:
            raise _refusal("its uri is not the origin of the page that it names")
        if offer.chain_id != CHAIN:
            raise _refusal(f"it is for another chain than {CHAIN}")


def expired() -> FloworkError:
    """Return the refusal of a delegation whose time is over."""
    return FloworkError(ErrorCode.STALE, "The delegation has expired; sign a new one with the wallet.")


def read_headers(headers: Mapping[str, Any], wallet: str) -> SignedDelegation | None:
    """Return the delegation of a request, its text in base64url; None without one. Raises UNAUTHENTICATED."""
    text = signature = None
    for spelled, value in headers.items():
        name = spelled.lower()
        if name == _TEXT_NAME:
            text = value
        elif name == _SIGNATURE_NAME:
            signature = value
    if text is None and signature is None:
        return None
    if not isinstance(text, str) or not isinstance(signature, str) or len(text) > 2 * MAX_TEXT:
        raise _refusal("its headers are incomplete")
    try:
        message = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError as error:
        raise _refusal("its text is not base64url") from error
    return SignedDelegation(wallet, message, signature)


def _forgery() -> FloworkError:
    return FloworkError(ErrorCode.BAD_SIGNATURE, "Invalid signature of the delegation.")


def _refusal(problem: str) -> FloworkError:
    return FloworkError(ErrorCode.UNAUTHENTICATED, f"The delegation cannot be accepted: {problem}.")
