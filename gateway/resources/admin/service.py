"""Who operators are, and the users they see."""

from __future__ import annotations

from gateway.auth.admins import Admins
from gateway.db.database import Database
from gateway.resources.accounts import queries as accounts
from gateway.resources.engines import queries as engines
from shared.clock import iso
from shared.contract.admin import AdminUser, AdminUsers
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import checksum_address


class Operators:
    """The use cases of operators; addresses are in lower case."""

    def __init__(self, database: Database, admins: Admins) -> None:
        self._database = database
        self._admins = admins

    def require(self, address: str) -> None:
        """Raise FORBIDDEN for everybody who is no operator."""
        if not self._admins.include(address):
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
                )
                for row in rows[:limit]
            ]
        return AdminUsers(users=shown, total=total, next=shown[-1].address if len(rows) > limit else None)
