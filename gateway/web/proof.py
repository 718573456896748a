"""Who calls an operation: the proof that its contract asks for."""

from __future__ import annotations

from flask import Request

from gateway.auth.engine_token import EngineTokens
from gateway.auth.service_key import ServiceKey
from gateway.auth.wallet import WalletAuth
from gateway.web.peers import Peers
from gateway.web.target import request_target
from shared.contract.base import Auth
from shared.signing.rest import PROOF_HEADERS

_PROOF_HEADERS = tuple((name, f"HTTP_{name.upper().replace('-', '_')}") for name in PROOF_HEADERS)


class Proof:
    """Checks requests by the kind of proof; there is no way around it for any peer address."""

    def __init__(
        self, wallets: WalletAuth, tokens: EngineTokens, service_key: ServiceKey, peers: Peers
    ) -> None:
        self._wallets = wallets
        self._tokens = tokens
        self._service_key = service_key
        self._peers = peers

    def check(self, kind: Auth, request: Request, body: bytes, *, scope: str | None = None) -> str | None:
        """Return the address (wallet) or the engine's id (engine); raises UNAUTHENTICATED and its relatives.

        ``scope`` is what a wallet's session key needs; without one only the wallet itself will do.
        """
        headers = request.headers
        match kind:
            case Auth.NONE:
                return None
            case Auth.WALLET:
                environ = request.environ
                target, peer = request_target(environ), self._peers.of(environ)
                given = {name: environ[key] for name, key in _PROOF_HEADERS if key in environ}
                return self._wallets.authenticate(given, request.method, target, body, peer, scope=scope)
            case Auth.ENGINE:
                token = headers.get("X-Engine-Token", "")
                return self._tokens.authenticate(headers.get("X-Engine-Id", ""), token).id
            case Auth.SERVICE:
                self._service_key.require(headers.get("X-API-Key", ""))
                return None
            case Auth.MACHINE:
                if "X-Engine-Token" not in headers:
                    self._service_key.require(headers.get("X-API-Key", ""))
                    return None
                self._tokens.authenticate(headers.get("X-Engine-Id", ""), headers["X-Engine-Token"])
                return None
