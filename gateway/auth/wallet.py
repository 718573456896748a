"""Signed REST requests: the wallet behind a request, judged by what it signed (protocol §2.3)."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.chain.wallets import ContractWallets
from gateway.db.replay_keys import ReplayKeys
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from shared.signing.rest import Contract, Form, verify_request
from shared.signing.standing import StandingDelegations


class WalletAuth:
    """Accepts each state-changing request once, in the forms of signature that the settings allow."""

    def __init__(
        self,
        replay_keys: ReplayKeys,
        clock: Clock,
        form: Form,
        *,
        sessions: StandingDelegations | None = None,
        contracts: ContractWallets | None = None,
    ) -> None:
        self._replay_keys = replay_keys
        self._clock = clock
        self._form = form
        self._sessions = sessions
        self._contracts = contracts

    def authenticate(  # noqa: PLR0913 - what a request consists of
        self,
        headers: Mapping[str, str],
        method: str,
        target: str,
        body: bytes,
        peer: str,
        *,
        scope: str | None = None,
    ) -> str:
        """Return the caller's address in lower case; ``target`` is the path and query exactly as sent.

        ``peer`` is the network address. A session key needs the ``scope``; without one only the wallet itself will
        do. Raises UNAUTHENTICATED, STALE, BAD_SIGNATURE, FORBIDDEN, REPLAYED or RATE_LIMITED.
        """
        request = verify_request(
            headers,
            method,
            target,
            body,
            now_ms=self._clock.now_ms(),
            form=self._form,
            sessions=self._sessions,
            contract=None if self._contracts is None else contract_judge(self._contracts, peer),
        )
        if request.session is not None:
            if scope is None:
                raise FloworkError(ErrorCode.FORBIDDEN, "Sign this request with the wallet itself.")
            request.session.require(scope)
        if request.replay_key is not None:
            self._replay_keys.admit(request.replay_key, request.expires_ms)
        return request.address


def contract_judge(contracts: ContractWallets | None, peer: str) -> Contract | None:
    """Return what judges the signatures of contract wallets for a caller, None where nothing does."""
    if contracts is None:
        return None
    asked = contracts

    def judge(address: str, message: str, signature: str) -> bool:
        return asked.stands_behind(address, message, signature, peer)

    return judge
