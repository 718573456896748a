"""The signed envelope of the raw engine socket: sealing a message and opening one (protocol §2.5, §4.1)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address
from shared.signing.delegation import DelegatedSession, SignedDelegation
from shared.signing.keys import Signer
from shared.signing.recover import is_canonical, recover_text
from shared.signing.replay import ReplayEntry, ReplayWindow
from shared.signing.standing import StandingDelegations
from shared.signing.strict_json import check_depth, parse_measured
from shared.signing.texts import (
    API_AUTH,
    API_BOUND,
    MAX_TEXT,
    MILLISECONDS,
    NONCE,
    SHA256,
    SOCKET_AUTH,
    SOCKET_BOUND,
    bad_format,
    check_fresh,
    documented_time,
    new_nonce,
)
from shared.tracing import read_traceparent

Form = Literal["documented", "bound"]
MAX_DEPTH = 64  # of the payload; the frame is one level more

_PURPOSES = frozenset({SOCKET_AUTH, API_AUTH})
_BOUND_FORMS = (f"{SOCKET_BOUND}|", f"{API_BOUND}|")
_BOUND = re.compile(
    rf"{SOCKET_BOUND}\|(0x[0-9a-fA-F]{{40}})\|([A-Za-z0-9_-]{{1,64}})\|({MILLISECONDS})\|{NONCE}\|({SHA256})"
)


class _Delegation(msgspec.Struct):
    message: str
    signature: str


class _Auth(msgspec.Struct):
    address: str = ""
    message: str = ""
    signature: str = ""
    delegation: _Delegation | None = None


class _Frame(msgspec.Struct):
    payload: msgspec.Raw
    auth: _Auth | None = None
    traceparent: Any = None


class OpenedMessage(msgspec.Struct, frozen=True, gc=False):
    """A message whose proof holds. ``address`` is the wallet's, in lower case, also for a session key.

    ``bound`` tells whether the signature covers the payload. Store ``replay_entry`` before acting on the
    message; it is None only where a page's sign-in speaks for the sender (relay). Where ``session`` is set, the
    caller asks it for the scope that the command needs.
    ``raw_payload`` are the payload's exact bytes, as a bound signature covers them. ``traceparent`` is the trace that
    whoever carried the message says it belongs to: no signature covers it, and nothing but spans may depend on it.
    """

    address: str
    payload: dict[str, Any]
    bound: bool
    message: str
    replay_entry: ReplayEntry | None
    session: DelegatedSession | None
    signature: str = ""
    raw_payload: bytes = b""
    traceparent: str | None = None

    @property
    def signer(self) -> str:
        """Whose key signed: the wallet's, or the session's that acts for it."""
        return self.session.session_address if self.session else self.address


def seal(
    signer: Signer,
    engine_id: str,
    payload: Mapping[str, Any],
    *,
    now_ms: int,
    delegation: SignedDelegation | None = None,
) -> str:
    """Return a bound frame: the signature covers sender, engine, time and the payload's bytes as sent.

    With a ``delegation`` the signer is the session key that it names.
    """
    address = delegation.wallet if delegation else signer.address
    body = msgspec.json.encode(dict(payload))
    message = "|".join(
        (SOCKET_BOUND, address, engine_id, str(now_ms), new_nonce(), hashlib.sha256(body).hexdigest())
    )
    auth: dict[str, Any] = {"address": address, "message": message, "signature": signer.sign_text(message)}
    if delegation:
        auth["delegation"] = {"message": delegation.message, "signature": delegation.signature}
    return f'{{"auth":{msgspec.json.encode(auth).decode()},"payload":{body.decode()}}}'


def replay_key(address: str, message: str) -> bytes:
    """Return what identifies a signed message: never its signature, which has several spellings."""
    return hashlib.sha256(f"{address.lower()}\n{message}".encode()).digest()


class EnvelopeVerifier:
    """Opens the frames sent to one engine; each check is cheaper than the next and none is skipped.

    ``form`` "documented" accepts both forms, "bound" only ours. Without ``sessions`` no delegation is honoured.
    The size limit is the transport's.
    """

    def __init__(
        self, engine_id: str, form: Form, window: ReplayWindow, *, sessions: StandingDelegations | None = None
    ) -> None:
        self._engine_id = engine_id
        self._form = form
        self._window = window
        self._sessions = sessions
        self._decoder = msgspec.json.Decoder(_Frame)

    def open(self, frame: bytes | str, now_ms: int) -> OpenedMessage:
        """Return the message; its time, signature and uniqueness hold, its sender's rights are not judged.

        Raises `FloworkError` INVALID_REQUEST, UNAUTHENTICATED, STALE, BAD_SIGNATURE, REPLAYED or RATE_LIMITED.
        """
        raw, decoded = self._decode(frame)
        auth = _check_shape(decoded.auth)
        bound = auth.message.startswith(_BOUND_FORMS)
        at_ms = self._judge(auth, decoded.payload, now_ms, bound=bound)
        session = self._check_signature(auth, now_ms, bound=bound)
        entry = self._window.admit(replay_key(auth.address, auth.message), at_ms, now_ms)
        # The whole frame is parsed strictly: no member name occurs twice in it, so this payload is the one
        # whose bytes were hashed.
        payload = parse_measured(raw)["payload"]
        if not isinstance(payload, dict):
            raise FloworkError(ErrorCode.INVALID_REQUEST, "The payload must be a JSON object.")
        return OpenedMessage(
            auth.address.lower(),
            payload,
            bound,
            auth.message,
            entry,
            session,
            auth.signature,
            bytes(decoded.payload),
            _said(decoded.traceparent),
        )

    def use(self, opened: OpenedMessage, now_ms: int) -> None:
        """Admit once what another process of this engine opened without remembering it (`UncheckedReplays`).

        Raises REPLAYED, STALE or RATE_LIMITED.
        """
        if opened.replay_entry is None:
            raise FloworkError(ErrorCode.INVALID_REQUEST, "The message cannot be told from a repeat of it.")
        self._window.use(opened.replay_entry, now_ms)

    def _decode(self, frame: bytes | str) -> tuple[bytes, _Frame]:
        try:
            raw = frame.encode() if isinstance(frame, str) else bytes(frame)
            check_depth(raw, MAX_DEPTH + 1)
            return raw, self._decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise FloworkError(
                ErrorCode.INVALID_REQUEST, "A message is JSON of the form {auth, payload}."
            ) from error

    def _judge(self, auth: _Auth, payload: msgspec.Raw, now_ms: int, *, bound: bool) -> int:
        if bound:
            return self._judge_bound(auth, payload, now_ms)
        if self._form == "bound":
            raise FloworkError(
                ErrorCode.UNAUTHENTICATED,
                f"This engine accepts only signatures that cover the payload ({SOCKET_BOUND}|…).",
            )
        at_ms = documented_time(auth.message, auth.address, _PURPOSES, free=True)
        check_fresh(at_ms, now_ms)
        return at_ms

    def _judge_bound(self, auth: _Auth, payload: msgspec.Raw, now_ms: int) -> int:
        match = _BOUND.fullmatch(auth.message)
        if match is None:
            raise bad_format()
        address, engine_id, at_ms, digest = match.groups()
        # Spelled the same, not only the same address: no byte of a bound frame may change.
        if address != auth.address:
            raise FloworkError(
                ErrorCode.UNAUTHENTICATED, "The signed message names another address than the one claimed."
            )
        if engine_id != self._engine_id:
            raise FloworkError(ErrorCode.UNAUTHENTICATED, "The message was signed for another engine.")
        check_fresh(int(at_ms), now_ms)
        if hashlib.sha256(payload).hexdigest() != digest:
            raise FloworkError(ErrorCode.BAD_SIGNATURE, "The signature does not cover this payload.")
        return int(at_ms)

    def _check_signature(self, auth: _Auth, now_ms: int, *, bound: bool) -> DelegatedSession | None:
        if auth.delegation is None:
            _check_signer(auth, auth.address.lower())
            return None
        if self._sessions is None:
            raise FloworkError(ErrorCode.UNAUTHENTICATED, "Delegated session keys are not accepted here.")
        if not bound:
            raise FloworkError(
                ErrorCode.UNAUTHENTICATED, f"A session key must cover the payload ({SOCKET_BOUND}|…)."
            )
        signed = SignedDelegation(auth.address, auth.delegation.message, auth.delegation.signature)
        session = self._sessions.claimed(signed, now_ms)
        _check_signer(auth, session.session_address)
        self._sessions.confirm(signed, session)
        return session


def _said(given: Any) -> str | None:
    context = read_traceparent(given)
    return context.traceparent if context else None


def _check_shape(auth: _Auth | None) -> _Auth:
    if auth is None or not (auth.address and auth.message and auth.signature):
        raise FloworkError(
            ErrorCode.UNAUTHENTICATED, "The message carries no auth {address, message, signature}."
        )
    if not is_address(auth.address) or len(auth.message) > MAX_TEXT:
        raise bad_format()
    if not is_canonical(auth.signature):
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "Invalid signature.")
    return auth


def _check_signer(auth: _Auth, signer: str) -> None:
    if recover_text(auth.message, auth.signature) != signer:
        raise FloworkError(ErrorCode.BAD_SIGNATURE, "Invalid signature.")
