"""Which plan is in force for an address."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.billing import ledger
from gateway.billing.plans import Plan, Plans
from gateway.db.database import Database
from shared.clock import Clock, iso
from shared.contract.billing import Subscription


class Subscriptions:
    """Looks up plans; without payment it is the free one."""

    def __init__(self, database: Database, clock: Clock, plans: Plans) -> None:
        self._database = database
        self._clock = clock
        self._plans = plans

    def plan_of(self, address: str, connection: Connection | None = None) -> Plan:
        """Return the highest plan that is paid at the moment."""
        if connection is None:
            with self._database.read() as opened:
                return self.plan_of(address, opened)
        paid = ledger.running(connection, address, self._clock.now_ms())
        known = [plan for plan in map(self._plans.find, paid) if plan is not None]
        return max(known, key=lambda plan: self._plans.rank(plan.id), default=self._plans.free)

    def shown(self, address: str) -> Subscription:
        """Return the plan in force, its end, and the lower ones that go on after it."""
        with self._database.read() as connection:
            plan = self.plan_of(address, connection)
            paid = ledger.running(connection, address, self._clock.now_ms())
        end = paid.pop(plan.id, None)
        return Subscription(
            plan=plan.id,
            expires_at=None if end is None else iso(end),
            limits=plan.limits.shown(),
            later={name: iso(ms) for name, ms in sorted(paid.items())},
        )
