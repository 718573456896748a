"""Delegation: a wallet's signed permission (EIP-4361) for a session key to act for it for a while."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import ErrorCode, FloworkError
from shared.ids import ENGINE_ID_PATTERN, is_address
from shared.signing.keys import Signer, checksum_address
from shared.signing.siwe import SignIn, read_sign_in, write_sign_in

MAX_LIFETIME_MS = 24 * 60 * 60 * 1000
MAX_TEXT = 4096
ANY_ENGINE = "*"
"""Stands alone in the list of engines for every engine that the wallet may use."""
STATEMENT = "Let the session key listed below act for me on the listed engines, within the listed scopes."

_SESSION = "urn:flowork:session:"
_ENGINE = "urn:flowork:engine:"
_SCOPE = "urn:flowork:scope:"
_ENGINE_ID = re.compile(ENGINE_ID_PATTERN)
_SCOPE_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,39}")


@dataclass(frozen=True, slots=True)
class DelegationOffer:
    """What a page offers to have signed: its own domain, uri and chain, and a nonce that it makes."""

    domain: str
    uri: str
    chain_id: int
    nonce: str


@dataclass(frozen=True, slots=True)
class SignedDelegation:
    """A delegation as it travels with each message; ``wallet`` is the delegator's EIP-55 address."""

    wallet: str
    message: str
    signature: str


@dataclass(frozen=True, slots=True)
class DelegatedSession:
    """A session key acting for a wallet. Addresses are in lower case, ``expires_ms`` is Unix ms.

    Whoever carries out a command asks `require` for the scope it needs; a session without it may not.
    """

    wallet: str
    session_address: str
    engines: tuple[str, ...]
    scopes: frozenset[str]
    expires_ms: int

    def allows(self, scope: str) -> bool:
        """Tell whether the wallet put this scope into the delegation."""
        return scope in self.scopes

    def require(self, scope: str) -> None:
        """Raise FORBIDDEN unless the delegation names the scope."""
        if not self.allows(scope):
            raise FloworkError(
                ErrorCode.FORBIDDEN,
                f"The session key may not do this (scope {scope}); sign the request with the wallet itself.",
            )


@dataclass(frozen=True, slots=True)
class Delegation:
    """What a delegation text says: the offer it answers, the session it creates, and its times in Unix ms."""

    offer: DelegationOffer
    session: DelegatedSession
    issued_ms: int
    begins_ms: int | None


def sign_delegation(  # noqa: PLR0913 - all but three are keywords
    signer: Signer,
    offer: DelegationOffer,
    session_address: str,
    *,
    engines: Iterable[str],
    scopes: Iterable[str],
    issued_ms: int,
    expires_ms: int,
    begins_ms: int | None = None,
) -> SignedDelegation:
    """Have a wallet sign a delegation; raises INVALID_REQUEST for what `read_delegation` would refuse."""
    session = DelegatedSession(
        wallet=signer.address.lower(),
        session_address=session_address.lower(),
        engines=tuple(sorted(set(engines))),
        scopes=frozenset(scopes),
        expires_ms=expires_ms,
    )
    text = write_delegation(Delegation(offer, session, issued_ms, begins_ms))
    return SignedDelegation(signer.address, text, signer.sign_text(text))


def write_delegation(delegation: Delegation) -> str:
    """Return the text a wallet signs; the same delegation always gives the same text."""
    problem = _problem(delegation)
    if problem:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"This delegation cannot be made: {problem}.")
    session = delegation.session
    text = write_sign_in(
        SignIn(
            domain=delegation.offer.domain,
            address=checksum_address(session.wallet),
            uri=delegation.offer.uri,
            chain_id=delegation.offer.chain_id,
            nonce=delegation.offer.nonce,
            issued_ms=delegation.issued_ms,
            statement=STATEMENT,
            expires_ms=session.expires_ms,
            begins_ms=delegation.begins_ms,
            resources=(
                _SESSION + checksum_address(session.session_address),
                *(_ENGINE + engine for engine in sorted(session.engines)),
                *(_SCOPE + scope for scope in sorted(session.scopes)),
            ),
        )
    )
    if len(text) > MAX_TEXT:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "This delegation cannot be made: it is too long.")
    return text


def read_delegation(text: str) -> Delegation:
    """Return what a delegation text says, without judging whether it holds here and now.

    Accepts only what `write_delegation` writes, byte for byte. Raises UNAUTHENTICATED.
    """
    if len(text) > MAX_TEXT:
        raise _refusal("it is too long")
    sign_in = read_sign_in(text)
    resources = sign_in.resources or ()
    sessions = _named(resources, _SESSION)
    if len(sessions) != 1:
        raise _refusal("it must name one session key")
    if sign_in.expires_ms is None:
        raise _refusal("it never expires")
    session = DelegatedSession(
        wallet=sign_in.address.lower(),
        session_address=sessions[0].lower(),
        engines=_named(resources, _ENGINE),
        scopes=frozenset(_named(resources, _SCOPE)),
        expires_ms=sign_in.expires_ms,
    )
    offer = DelegationOffer(sign_in.domain, sign_in.uri, sign_in.chain_id, sign_in.nonce)
    delegation = Delegation(offer, session, sign_in.issued_ms, sign_in.begins_ms)
    problem = _problem(delegation)
    if problem:
        raise _refusal(problem)
    if write_delegation(delegation) != text:
        raise _refusal("it differs from the one spelling of its meaning")
    return delegation


def _named(resources: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    return tuple(uri.removeprefix(prefix) for uri in resources if uri.startswith(prefix))


def _problem(delegation: Delegation) -> str:
    session = delegation.session
    lifetime = session.expires_ms - delegation.issued_ms
    checks = {
        "the session key is not an address": is_address(session.session_address),
        "the session key is the wallet itself": session.session_address != session.wallet,
        "it names no engine, or too many": 1 <= len(session.engines) <= 32,
        "an engine id is malformed": session.engines == (ANY_ENGINE,)
        or all(_ENGINE_ID.fullmatch(engine) for engine in session.engines),
        "it names no scope, or too many": 1 <= len(session.scopes) <= 32,
        "a scope is malformed": all(_SCOPE_NAME.fullmatch(scope) for scope in session.scopes),
        "it lasts no time, or longer than 24 hours": 0 < lifetime <= MAX_LIFETIME_MS,
    }
    return next((problem for problem, holds in checks.items() if not holds), "")


def _refusal(problem: str) -> FloworkError:
    return FloworkError(ErrorCode.UNAUTHENTICATED, f"The delegation cannot be accepted: {problem}.")
