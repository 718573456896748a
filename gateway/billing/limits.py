"""Holds users to the limits of their plan, and says which limit it is and how to lift it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, func, select

from gateway.billing.plans import Plan, Plans
from gateway.billing.subscriptions import Subscriptions
from gateway.db.database import Database
from gateway.db.tables import engine_shares, engines
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError

DAY_MS = 24 * 60 * 60 * 1000
Kept = Literal["engines", "shares"]
_NAMES = {"engines": "engines", "shares": "shares"}


class Limits:
    """The limits of plans. On a gateway without billing nobody is limited by a plan."""

    def __init__(
        self, database: Database, clock: Clock, plans: Plans, subscriptions: Subscriptions, *, enforced: bool
    ) -> None:
        self._database = database
        self._clock = clock
        self._plans = plans
        self._subscriptions = subscriptions
        self._enforced = enforced

    def check(
        self, address: str, kept: Kept, *, used: int | None = None, connection: Connection | None = None
    ) -> None:
        """Raise PAYMENT_REQUIRED where the address may not have one more of them.

        ``used`` is how many there are, counted from the database where it is not given. Pass the ``connection`` of
        the transaction that adds one, so that two at once cannot both pass.
        """
        if not self._enforced:
            return
        if connection is None:
            with self._database.read() as opened:
                self.check(address, kept, used=used, connection=opened)
            return
        plan = self._subscriptions.plan_of(address, connection)
        most = plan.limits.engines if kept == "engines" else plan.limits.shares
        if most is None:
            return
        present = count(connection, address, kept) if used is None else used
        if present >= most:
            raise FloworkError(
                ErrorCode.PAYMENT_REQUIRED,
                f"The plan {plan.name} allows {most} {_NAMES[kept]} and you have {present}; "
                f"delete one, or {self._way_up(plan)}.",
                details={"limit": kept, "plan": plan.id, "allowed": most, "used": present},
            )

    def check_messages(self, address: str, used: int) -> None:
        """Raise RATE_LIMITED, with the time until midnight (UTC), when the day's relay messages are used up."""
        most = self.messages_per_day(address)
        if most is None or used < most:
            return
        plan = self._subscriptions.plan_of(address)
        raise FloworkError(
            ErrorCode.RATE_LIMITED,
            f"The plan {plan.name} allows {most} messages over the relay a day and you have sent {used}; "
            f"wait until 00:00 UTC, or {self._way_up(plan)}.",
            details={"limit": "relay_messages_per_day", "plan": plan.id, "allowed": most, "used": used},
            retry_after=(DAY_MS - self._clock.now_ms() % DAY_MS) / 1000,
        )

    def messages_per_day(self, address: str) -> int | None:
        """Return how many messages a day may go over the relay, None without limit."""
        return self._subscriptions.plan_of(address).limits.relay_messages_per_day if self._enforced else None

    def link_end(self, address: str, now_ms: int, wanted_ms: int | None) -> int | None:
        """Return when a share link made now ends, None for never: as wanted, within what the plan keeps links for.

        Raises PAYMENT_REQUIRED for a wanted end that is later than that.
        """
        plan = self._subscriptions.plan_of(address)
        days = plan.limits.share_retention_days if self._enforced else None
        if days is None:
            return wanted_ms
        latest = now_ms + days * DAY_MS
        if wanted_ms is not None and wanted_ms > latest:
            raise FloworkError(
                ErrorCode.PAYMENT_REQUIRED,
                f"The plan {plan.name} keeps share links for {days} days; choose an earlier end, "
                f"or {self._way_up(plan)}.",
                details={"limit": "share_retention_days", "plan": plan.id, "allowed": days},
            )
        return latest if wanted_ms is None else wanted_ms

    def _way_up(self, plan: Plan) -> str:
        higher = self._plans.higher(plan.id)
        if higher is None:
            return "ask the operator of this gateway for more"
        return f"move to the plan {higher.name} (flowork billing checkout {higher.id})"


def count(connection: Connection, address: str, kept: Kept) -> int:
    """Return how many engines an address owns, or how many guests it shares them with."""
    own = engines.c.owner_address == address
    query = select(func.count()).select_from(engines).where(own)
    if kept == "shares":
        joined = engine_shares.join(engines, engine_shares.c.engine_id == engines.c.id)
        query = select(func.count()).select_from(joined).where(own)
    return int(connection.execute(query).scalar_one())


def day_of(ms: int) -> str:
    """Return the day of a time, in UTC, as ``YYYY-MM-DD``."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC).strftime("%Y-%m-%d")
