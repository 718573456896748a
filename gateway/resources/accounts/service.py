"""What can be done with accounts."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.billing.service import Billing
from gateway.chain.names import Names
from gateway.db import audit
from gateway.db.database import Database
from gateway.db.socket_sessions import SocketSessions
from gateway.realtime.gui_channel import GuiChannel
from gateway.resources.accounts import queries
from shared.clock import Clock
from shared.contract.account import PERMISSIONS, UNLIMITED_TIER, Profile
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address
from shared.signing.keys import checksum_address


class Accounts:
    """The use cases of accounts; addresses are in lower case."""

    def __init__(  # noqa: PLR0913, PLR0917 - what it is wired with
        self,
        database: Database,
        clock: Clock,
        sessions: SocketSessions,
        gui: GuiChannel,
        billing: Billing,
        names: Names,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sessions = sessions
        self._gui = gui
        self._billing = billing
        self._names = names

    def profile(self, address: str) -> Profile:
        """Return the profile of an address, registering it if it is new."""
        register(self._database, self._clock, address)
        user = queries.find(self._database, address)
        shown = checksum_address(address)
        tier, until = self._tier(address)
        name = (user and user.username) or self._names.name_of(address)
        return Profile(
            user_id=shown,
            email=user.email if user else None,
            username=name or f"{shown[:6]}…{shown[-4:]}",
            public_address=shown,
            tier=tier,
            permissions=list(PERMISSIONS),
            license_expires_at=until,
        )

    def logout(self, address: str) -> None:
        """End the socket sessions of an address and close its open sockets."""
        now_ms = self._clock.now_ms()
        self._sessions.revoke(address, now_ms)
        with self._database.write() as connection:
            audit.record(connection, address, "logout", address, now_ms)
        self._gui.disconnect(address)

    def _tier(self, address: str) -> tuple[str, str | None]:
        if not self._billing.settings.enabled:
            return UNLIMITED_TIER, None
        subscription = self._billing.subscriptions.shown(address)
        return subscription.plan, subscription.expires_at


def without_name(names: Names, identifier: str) -> str:
    """Return the address where an identifier is an ENS name, else the identifier.

    Asks the chain's node, so no transaction may be open. Raises NOT_FOUND, or ENGINE_UNAVAILABLE where the node does
    not answer.
    """
    if not names.reads(identifier):
        return identifier
    address = names.address_of(identifier)
    if address is None:
        raise FloworkError(ErrorCode.NOT_FOUND, "This name stands for no address.")
    return address


def resolve(connection: Connection, identifier: str) -> str | None:
    """Return the address in lower case that an address or a name stands for; None for an unknown name."""
    if is_address(identifier):
        return identifier.lower()
    user = queries.find_by_name(connection, identifier)
    return None if user is None else user.address


def register(database: Database, clock: Clock, address: str) -> None:
    """Enter an address as a user unless it is one."""
    if queries.find(database, address) is not None:
        return
    with database.write() as connection:
        now_ms = clock.now_ms()
        if queries.add(connection, address, now_ms):
            audit.record(connection, address, "register", address, now_ms)
