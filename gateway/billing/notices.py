"""Notices: what a user should know about plan and payments, each told once."""

from __future__ import annotations

from sqlalchemy import Connection, String, cast, delete, literal, select

from gateway.billing import ledger
from gateway.billing.plans import Plans
from gateway.db.billing_tables import billing_notices, subscriptions
from gateway.db.database import Database
from shared.clock import Clock, iso
from shared.contract.billing import Notice

DAY_MS = 24 * 60 * 60 * 1000
REMIND_DAYS = (7, 1)
KEEP_MS = 365 * DAY_MS
LISTED = 100
_AT_ONCE = 500


class Notices:
    """Shows notices, and makes those that come with time."""

    def __init__(self, database: Database, clock: Clock, plans: Plans) -> None:
        self._database = database
        self._clock = clock
        self._plans = plans

    def of(self, address: str) -> list[Notice]:
        """Return the latest notices of an address, newest first."""
        table = billing_notices.c
        query = select(billing_notices).where(table.address == address)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.id.desc()).limit(LISTED)).all()
        return [Notice(id=row.id, kind=row.kind, message=row.message, at=iso(row.at_ms)) for row in rows]

    def remind(self) -> None:
        """Tell of subscriptions that end within a week, within a day, or ended since yesterday."""
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            for days in REMIND_DAYS:
                self._tell(connection, now_ms, now_ms, now_ms + days * DAY_MS, f"{days}d")
            self._tell(connection, now_ms, now_ms - DAY_MS, now_ms, "ended")
            old = billing_notices.c.at_ms < now_ms - KEEP_MS
            connection.execute(delete(billing_notices).where(old))

    def _tell(self, connection: Connection, now_ms: int, after: int, until: int, kind: str) -> None:
        table = subscriptions.c
        source = (
            literal("expiry:")
            + table.address
            + ":"
            + table.plan
            + ":"
            + cast(table.expires_ms, String)
            + f":{kind}"
        )
        # Who was told is left out by the query, so that a round never stops at the same first rows.
        told = select(billing_notices.c.id).where(billing_notices.c.source == source).exists()
        query = (
            select(subscriptions)
            .where(table.expires_ms > after, table.expires_ms <= until, ~told)
            .limit(_AT_ONCE)
        )
        for row in connection.execute(query).all():
            plan = self._plans.find(row.plan)
            name = plan.name if plan else row.plan
            verb = "ended" if kind == "ended" else "ends"
            ledger.notify(
                connection,
                address=row.address,
                kind=f"expiry-{kind}",
                message=f"Your plan {name} {verb} at {iso(row.expires_ms)}; "
                f"flowork billing checkout {row.plan} goes on with it.",
                source=f"expiry:{row.address}:{row.plan}:{row.expires_ms}:{kind}",
                now_ms=now_ms,
            )
