"""Which plan is in force for an address."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, select

from gateway.billing import ledger
from gateway.billing.plans import Plan, Plans
from gateway.db.billing_tables import subscriptions
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

    def counts(self, connection: Connection) -> dict[str, int]:
        """Return how many addresses have each plan in force, without those who have the free one."""
        table, now_ms = subscriptions.c, self._clock.now_ms()
        ranked: dict[str, str] = {}
        query = select(table.address, table.plan).where(table.expires_ms > now_ms)
        for row in connection.execute(query):
            held = ranked.get(row.address)
            if held is None or self._plans.rank(row.plan) > self._plans.rank(held):
                ranked[row.address] = row.plan
        return dict(Counter(ranked.values()))

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
