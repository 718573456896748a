"""The end of an account, with everything that belongs to it on this gateway."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.billing import removal as billing
from gateway.context import Context
from gateway.db import audit
from gateway.resources.accounts import queries as accounts
from gateway.resources.engine_shares import queries as shares
from gateway.resources.engines import queries as engines
from gateway.resources.marketplace import queries as market
from gateway.resources.profiles import queries
from gateway.resources.workflow_shares import queries as links
from shared.contract.profile import AccountDeleted
from shared.errors import ErrorCode, FloworkError
from shared.ids import same_address


class Removal:
    """Deletes an account in one transaction, then closes what was open for it.

    The audit log keeps its entries for their year, and signatures that were used stay used. An engine keeps its
    pinned owner: it is the owner's machine, and only there is that changed.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    def remove(self, address: str, confirm: str, *, forfeit: bool) -> AccountDeleted:
        """Delete an account.

        Raises INVALID_REQUEST unless its own address confirms it, CONFLICT where something of value would be lost and
        ``forfeit`` does not say that it may be.
        """
        if not same_address(address, confirm):
            raise FloworkError(ErrorCode.INVALID_REQUEST, "confirm must be your own address, typed out.")
        context, now_ms = self._context, self._context.clock.now_ms()
        context.billing.meter.forget(address)
        with context.database.write() as connection:
            _check_losses(connection, address, now_ms, forfeit=forfeit)
            invoices = billing.forget(connection, address)
            own = [row.id for row in engines.owned_by(connection, address)]
            audiences = {engine_id: engines.audience(connection, engine_id) for engine_id in own}
            visited = [share.engine_id for share in shares.of_guest(connection, address)]
            links.remove_of(connection, address)
            for engine_id in own:
                engines.remove(connection, engine_id, address)
            shares.remove_guest(connection, address)
            items = market.remove_of(connection, address)
            queries.remove_documents(connection, address)
            accounts.remove(connection, address)
            audit.record(connection, address, "account_delete", address, now_ms)
        context.sessions.revoke(address, now_ms)
        for engine_id in own:
            context.links.close(engine_id)
            context.gui.tell(audiences[engine_id], "engine_deleted", {"engine_id": engine_id})
        for engine_id in visited:
            context.links.refresh_guests(engine_id)
        context.gui.disconnect(address)
        return AccountDeleted(
            message="The account and everything of it on this gateway was deleted.",
            engines=len(own),
            shares=len(visited),
            items=items,
            invoices=invoices,
        )


def _check_losses(connection: Connection, address: str, now_ms: int, *, forfeit: bool) -> None:
    lost = billing.losses(connection, address, now_ms)
    if lost and not forfeit:
        raise FloworkError(
            ErrorCode.CONFLICT,
            f"With the account you would lose {'; '.join(lost)}. Send forfeit: true to delete it nevertheless.",
            details={"would_lose": lost},
        )
