"""Signed REST requests and signed Socket.IO connects: writing the headers and judging them (protocol §2.3-2.4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec

from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address
from shared.signing.delegation import DelegatedSession
from shared.signing.keys import Signer
from shared.signing.recover import is_canonical, recover_text
from shared.signing.replay import remembered_until
from shared.signing.standing import (
    DELEGATION_HEADER,
    DELEGATION_SIGNATURE_HEADER,
    StandingDelegations,
    read_headers,
)
from shared.signing.texts import (
    API_AUTH,
    API_BOUND,
    MAX_TEXT,
    MILLISECONDS,
    NONCE,
    SHA256,
    SOCKET_AUTH,
    WINDOW_MS,
    bad_format,
    check_claimed,
    check_fresh,
    documented_time,
    new_nonce,
)

Form = Literal["documented", "bound"]
Contract = Callable[[str, str, str], bool]
"""Tells whether the contract at an address stands behind a signature over a text (EIP-1271); may raise."""

ADDRESS_HEADER = "X-User-Address"
MESSAGE_HEADER = "X-Signed-Message"
SIGNATURE_HEADER = "X-Signature"
VERSION_HEADER = "X-Payload-Version"
PROOF_HEADERS = (
    ADDRESS_HEADER,
    MESSAGE_HEADER,
    SIGNATURE_HEADER,
    DELEGATION_HEADER,
    DELEGATION_SIGNATURE_HEADER,
)
"""All that `verify_request` reads of a request's headers."""

MOST_REMEMBERED = 256
_OF_NOTHING = hashlib.sha256()
_NAMES = (ADDRESS_HEADER.lower(), MESSAGE_HEADER.lower(), SIGNATURE_HEADER.lower())
_CONTRACT_SIGNATURE = re.compile(r"0x(?:[0-9a-fA-F]{2}){1,2048}")
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_BOUND_HEAD = re.compile(r"flowork_api\|(0x[0-9a-fA-F]{40})\|")
_BOUND_TAIL = re.compile(rf"\|({MILLISECONDS})\|{NONCE}\|({SHA256})")


class VerifiedRequest(msgspec.Struct, frozen=True, gc=False):
    """A request whose proof holds; ``address`` is in lower case.

    Where ``replay_key`` is set the caller must store it until ``expires_ms`` (Unix ms) and refuse it the
    second time with REPLAYED.
    """

    address: str
    bound: bool
    message: str
    replay_key: bytes | None
    expires_ms: int
    session: DelegatedSession | None = None


class _Proof(msgspec.Struct, frozen=True, gc=False):
    address: str
    message: str
    signature: str


def sign_headers(
    signer: Signer, method: str, path_and_query: str, body: bytes, *, now_ms: int
) -> dict[str, str]:
    """Return the headers of a bound request; ``path_and_query`` is the request target exactly as sent."""
    head = f"{API_BOUND}|{signer.address}|{method.upper()}|{path_and_query}"
    message = f"{head}|{now_ms}|{new_nonce()}|{hashlib.sha256(body).hexdigest()}"
    return {
        ADDRESS_HEADER: signer.address,
        MESSAGE_HEADER: message,
        SIGNATURE_HEADER: signer.sign_text(message),
        VERSION_HEADER: "2",
    }


def verify_request(  # noqa: PLR0913 - a request has these parts
    headers: Mapping[str, Any],
    method: str,
    path_and_query: str,
    body: bytes,
    *,
    now_ms: int,
    form: Form,
    sessions: StandingDelegations | None = None,
    contract: Contract | None = None,
) -> VerifiedRequest:
    """Judge a REST request; ``path_and_query`` is the raw request target, not a decoded one.

    With ``sessions`` a session key may have signed a bound request; what it may do is for the caller to judge.
    ``contract`` judges signatures that no key made, of texts that name the address.

    Raises `FloworkError` UNAUTHENTICATED (nothing there, unreadable), STALE or BAD_SIGNATURE. The caller stores the
    replay key.
    """
    proof = _read_proof(headers, contract)
    bound = proof.message.startswith(f"{API_BOUND}|")
    digest = None
    if bound:
        at_ms, digest = _judge_bound(proof, method, path_and_query)
    elif form == "bound":
        raise FloworkError(
            ErrorCode.UNAUTHENTICATED,
            f"Only signatures that cover method, path and body are accepted here ({API_BOUND}|…).",
        )
    else:
        at_ms = documented_time(proof.message, proof.address, frozenset({API_AUTH}), free=True)
    check_fresh(at_ms, now_ms)
    of_body = hashlib.sha256(body) if body else _OF_NOTHING
    if digest is not None and of_body.hexdigest() != digest:
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "The signature does not cover this body.")
    session = _check_signature(proof, headers, sessions if bound else None, contract, now_ms)
    unique = bound or method.upper() in _CHANGING
    key = _replay_key(proof, method, path_and_query, of_body.digest()) if unique else None
    until = remembered_until(at_ms, WINDOW_MS)
    return VerifiedRequest(proof.address.lower(), bound, proof.message, key, until, session)


def verify_socket_auth(
    headers: Mapping[str, Any],
    *,
    now_ms: int,
    max_age_ms: int,
    sessions: StandingDelegations | None = None,
    contract: Contract | None = None,
) -> VerifiedRequest:
    """Judge the auth object of a Socket.IO connect to ``/gui-socket``.

    Clients present the text of their first connect on every later one, so ``max_age_ms`` may be hours; nothing
    is remembered against replay. ``contract`` is as in `verify_request`. Raises UNAUTHENTICATED, STALE or
    BAD_SIGNATURE.
    """
    proof = _read_proof(headers, contract)
    at_ms = documented_time(proof.message, proof.address, frozenset({SOCKET_AUTH, API_AUTH}), free=False)
    check_fresh(at_ms, now_ms, max_age_ms=max_age_ms)
    session = _check_signature(proof, headers, sessions, contract, now_ms)
    return VerifiedRequest(
        proof.address.lower(),
        bound=False,
        message=proof.message,
        replay_key=None,
        expires_ms=at_ms + max_age_ms,
        session=session,
    )


def _read_proof(headers: Mapping[str, Any], contract: Contract | None) -> _Proof:
    address, message, signature = _spelled_as_ours(headers) or _spelled_anyhow(headers)
    texts = isinstance(address, str) and isinstance(message, str) and isinstance(signature, str)
    if not (texts and address and message and signature):
        raise FloworkError(ErrorCode.UNAUTHENTICATED, "Missing required authentication headers.")
    proof = _Proof(address, message, signature)
    if not is_address(proof.address) or len(proof.message) > 8 * MAX_TEXT:
        raise bad_format()
    readable = contract is not None and _CONTRACT_SIGNATURE.fullmatch(proof.signature) is not None
    if not readable and not is_canonical(proof.signature):
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "Invalid signature.")
    return proof


def _spelled_as_ours(headers: Mapping[str, Any]) -> tuple[Any, Any, Any] | None:
    """Return the three headers where there are no others, spelled as above: then none of them is there twice."""
    if len(headers) != len(_NAMES):
        return None
    try:
        return headers[ADDRESS_HEADER], headers[MESSAGE_HEADER], headers[SIGNATURE_HEADER]
    except KeyError:
        return None


def _spelled_anyhow(headers: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    given: dict[str, Any] = {}
    for spelled, value in headers.items():
        name = spelled.lower()
        if name in _NAMES:
            if name in given:  # two headers of one name: nobody could say which one counts
                raise bad_format()
            given[name] = value
    address, message, signature = (given.get(name) for name in _NAMES)
    return address, message, signature


def _judge_bound(proof: _Proof, method: str, path_and_query: str) -> tuple[int, str]:
    named = _BOUND_HEAD.match(proof.message)
    if named is None:
        raise bad_format()
    check_claimed(named[1], proof.address)
    # The target may itself hold a "|"; compared as a whole prefix it cannot be read in two ways.
    head = f"{named[0]}{method.upper()}|{path_and_query}"
    tail = _BOUND_TAIL.fullmatch(proof.message[len(head) :])
    if not proof.message.startswith(head) or tail is None:
        raise FloworkError(
            ErrorCode.BAD_SIGNATURE, "The message was signed for another request than this one."
        )
    return int(tail[1]), tail[2]


def _check_signature(
    proof: _Proof,
    headers: Mapping[str, Any],
    sessions: StandingDelegations | None,
    contract: Contract | None,
    now_ms: int,
) -> DelegatedSession | None:
    """Return the session whose key signed, None where the wallet did; raises BAD_SIGNATURE and its relatives."""
    others = len(headers) > len(_NAMES)  # than those of the proof, which are all there
    delegation = read_headers(headers, proof.address) if others else None
    if delegation is None:
        _check_own(proof, contract)
        return None
    if sessions is None:
        raise FloworkError(ErrorCode.UNAUTHENTICATED, "Delegated session keys are not accepted here.")
    session = sessions.claimed(delegation, now_ms)
    if recover_text(proof.message, proof.signature) != session.session_address:
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "Invalid signature.")
    sessions.confirm(delegation, session)
    return session


def _check_own(proof: _Proof, contract: Contract | None) -> None:
    if _signed_by_key(proof, strict=contract is None):
        return
    # A contract may stand behind its owner's signature over any text, and the owner may have several: only a text
    # that names the contract was meant for it.
    named = proof.address.lower() in proof.message.lower()
    if contract is None or not named or not contract(proof.address, proof.message, proof.signature):
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "Invalid signature.")


def _signed_by_key(proof: _Proof, *, strict: bool) -> bool:
    try:
        return recover_text(proof.message, proof.signature) == proof.address.lower()
    except FloworkError:
        if strict:
            raise
        return False


def _replay_key(proof: _Proof, method: str, path_and_query: str, of_body: bytes) -> bytes:
    address, message = _digest_known(proof.address.lower()), _digest(proof.message)
    # Of fixed width: no part can run into the next.
    parts = address + message + _digest_known(method.upper()) + _digest_known(path_and_query) + of_body
    return hashlib.sha256(parts).digest()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


_digest_known = lru_cache(MOST_REMEMBERED)(_digest)
"""For what comes again and again: addresses, methods and paths."""
