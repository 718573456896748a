"""Who operators are, and the users they see."""

from __future__ import annotations

from gateway.auth.admins import Admins
from gateway.billing.subscriptions import Subscriptions
from gateway.db import audit
from gateway.db.database import Database
from gateway.resources.accounts import queries as accounts
from gateway.resources.engines import queries as engines
from shared.clock import Clock, iso
from shared.contract.admin import AdminUser, AdminUsers
from shared.contract.base import Operation
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import checksum_address

REFUSED = "admin_refused"
REFUSED_EVERY_MS = 60_000


class Operators:
    """The use cases of operators; addresses are in lower case."""

    def __init__(
        self, database: Database, clock: Clock, admins: Admins, subscriptions: Subscriptions
    ) -> None:
        self._database = database
        self._clock = clock
        self._admins = admins
        self._subscriptions = subscriptions

    def require(self, address: str, operation: Operation) -> None:
        """Raise FORBIDDEN for everybody who is no operator, and enter that in the audit log."""
        if self._admins.include(address):
            return
        with self._database.write() as connection:
            now_ms = self._clock.now_ms()
            # Once a minute is enough to know of it, and nobody fills the log by asking on.
            if not audit.recorded(connection, address, REFUSED, operation.name, now_ms - REFUSED_EVERY_MS):
                audit.record(connection, address, REFUSED, operation.name, now_ms)
        raise FloworkError(
            ErrorCode.FORBIDDEN, "Only an operator of this gateway (GATEWAY_ADMINS) may do this."
        )

    def users(self, after: str, limit: int) -> AdminUsers:
        """Return a page of users."""
        with self._database.read() as connection:
            rows = accounts.page(connection, after, limit + 1)
            total = accounts.count(connection)
            shown = [
                AdminUser(
                    address=checksum_address(row.address),
                    username=row.username,
                    created_at=iso(row.created_ms),
                    engines=engines.count_owned_by(connection, row.address),
                    plan=self._subscriptions.plan_of(row.address, connection).id,
                )
                for row in rows[:limit]
            ]
        return AdminUsers(users=shown, total=total, next=shown[-1].address if len(rows) > limit else None)
