"""The REST shape of accounts (protocol §1.1)."""

from __future__ import annotations

from gateway.context import Context
from gateway.resources.accounts.service import Accounts
from gateway.web.routing import route
from shared.contract.account import GET_PROFILE, LOGIN, LOGOUT, REGISTER, Profile
from shared.contract.engine import Message
from shared.errors import ErrorCode, FloworkError


class Routes:
    """Answers the operations of accounts."""

    def __init__(self, context: Context) -> None:
        self._accounts = Accounts(
            context.database,
            context.clock,
            context.sessions,
            context.gui,
            context.billing,
            context.names,
        )

    @route(GET_PROFILE)
    def get_profile(self, caller: str) -> Profile:
        """Return who is signed in."""
        return self._accounts.profile(caller)

    @route(LOGOUT)
    def logout(self, caller: str) -> Message:
        """End the caller's sessions."""
        self._accounts.logout(caller)
        return Message(message="Signed out; open sockets were closed.")

    @route(REGISTER)
    def register(self) -> Message:
        """Explain that there are no passwords."""
        raise FloworkError(
            ErrorCode.NOT_IMPLEMENTED,
            "There are no password accounts: an identity is a wallet key, known from its first signed request.",
        )

    @route(LOGIN)
    def login(self) -> Message:
        """Explain that there are no passwords."""
        raise FloworkError(
            ErrorCode.NOT_IMPLEMENTED, "There is nothing to log in to: sign each request with the wallet key."
        )
