"""The handshake of a GUI socket, and its reconnects with the first auth object (protocol §2.4)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.auth.wallet import contract_judge
from gateway.chain.wallets import ContractWallets
from gateway.db.socket_sessions import SessionState, SocketSessions
from gateway.web.peers import Peers
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.signing.rest import SIGNATURE_HEADER, Contract, VerifiedRequest, verify_socket_auth
from shared.signing.standing import StandingDelegations
from shared.signing.strict_json import parse_object

FRESH_MS = 300_000
MAX_AUTH_TEXT = 8192


@dataclass(frozen=True, slots=True)
class SignIn:
    """A page that signed in: its address in lower case, the text it signed, and the signature.

    ``page`` stays the same over all reconnects of one page: it builds its auth object once. ``until_ms`` is when the
    delegation of its session key ends (Unix ms), None for a wallet.
    """

    address: str
    message: str
    signature: str
    until_ms: int | None = None
    page: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha256(f"{self.address}|{self.message}".encode()).hexdigest()
        object.__setattr__(self, "page", digest[:32])


class SocketHandshake:
    """Accepts a signature while it is fresh, and the same one again as long as the session it began is alive.

    A browser client builds its auth object once per page and presents it at every automatic reconnect; were it
    refused after five minutes, the page would stay disconnected for good.
    """

    def __init__(
        self,
        sessions: SocketSessions,
        clock: Clock,
        peers: Peers,
        *,
        contracts: ContractWallets | None = None,
        delegations: StandingDelegations | None = None,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._peers = peers
        self._contracts = contracts
        self._delegations = delegations

    def authenticate(self, auth: Any, environ: dict[str, Any]) -> SignIn:
        """Return who signed in, as the connect's auth object proves; ``environ`` is that of the connect.

        Raises UNAUTHENTICATED, STALE, BAD_SIGNATURE or RATE_LIMITED.
        """
        headers = _headers_of(auth)
        now_ms = self._clock.now_ms()
        fresh, request = self._verify(
            headers, now_ms, contract_judge(self._contracts, self._peers.of(environ))
        )
        state = self._sessions.state(request.address, request.message, now_ms)
        if state is SessionState.ENDED:
            raise FloworkError(ErrorCode.STALE, "This session was ended by a logout; sign in again.")
        if state is SessionState.UNKNOWN:
            if not fresh:
                raise FloworkError(ErrorCode.STALE, "Stale authentication signature.")
            self._sessions.open(request.address, request.message, now_ms)
        until_ms = request.session.expires_ms if request.session else None
        return SignIn(request.address, request.message, _signature(headers), until_ms)

    def _verify(
        self, headers: dict[str, Any], now_ms: int, contract: Contract | None
    ) -> tuple[bool, VerifiedRequest]:
        try:
            return True, self._judge(headers, now_ms, FRESH_MS, contract)
        except FloworkError as error:
            if error.code is not ErrorCode.STALE:
                raise
        oldest = FRESH_MS + self._sessions.lifetime_ms
        return False, self._judge(headers, now_ms, oldest, contract)

    def _judge(
        self, headers: dict[str, Any], now_ms: int, max_age_ms: int, contract: Contract | None
    ) -> VerifiedRequest:
        request = verify_socket_auth(
            headers, now_ms=now_ms, max_age_ms=max_age_ms, sessions=self._delegations, contract=contract
        )
        if request.session is not None:
            request.session.require("read")
        return request


def _signature(headers: Mapping[str, Any]) -> str:
    # The verification has seen exactly one header of this name.
    return next(str(value) for name, value in headers.items() if name.lower() == SIGNATURE_HEADER.lower())


def _headers_of(auth: Any) -> dict[str, Any]:
    if isinstance(auth, str) and len(auth) <= MAX_AUTH_TEXT:
        try:
            auth = parse_object(auth.encode())
        except (FloworkError, UnicodeError):
            auth = None
    headers = auth.get("headers") if isinstance(auth, dict) else None
    if not isinstance(headers, dict):
        raise FloworkError(ErrorCode.UNAUTHENTICATED, "Missing required authentication headers.")
    return headers
