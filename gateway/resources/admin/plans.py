"""What operators do with the plans of users: see them, give days of one, end one."""

from __future__ import annotations

from sqlalchemy import delete

from gateway.billing import ledger
from gateway.billing.plans import DAY_MS, Plan
from gateway.billing.service import Billing
from gateway.db import audit
from gateway.db.billing_tables import subscriptions
from gateway.resources.accounts import queries as accounts
from shared.contract.admin import AdminPlan
from shared.contract.billing import Subscription
from shared.errors import ErrorCode, FloworkError
from shared.ids import is_address


class UserPlans:
    """The use cases of operators around plans; the caller was found to be one."""

    def __init__(self, billing: Billing) -> None:
        self._billing = billing

    def listing(self) -> list[AdminPlan]:
        """Return the plans, lowest first, with how many users have each."""
        plans, free = self._billing.plans, self._billing.plans.free.id
        with self._billing.database.read() as connection:
            counts = self._billing.subscriptions.counts(connection)
        return [
            AdminPlan(plan=plan.shown(), users=None if plan.id == free else counts.get(plan.id, 0))
            for plan in plans.all()
        ]

    def grant(self, admin: str, address: str, plan_id: str, days: int) -> Subscription:
        """Add days to a user's plan, or end it with 0; raises NOT_FOUND or INVALID_REQUEST."""
        plan, billing = self._plan(plan_id), self._billing
        now_ms, user = billing.clock.now_ms(), address.lower()
        with billing.database.write() as connection:
            if not is_address(address) or accounts.find(connection, user) is None:
                raise FloworkError(ErrorCode.NOT_FOUND, "There is no user of this address.")
            ledger.lock(connection, user, now_ms)
            if days:
                ledger.extend(
                    connection,
                    billing.plans,
                    address=user,
                    plan=plan.id,
                    length_ms=days * DAY_MS,
                    now_ms=now_ms,
                )
            else:
                table = subscriptions.c
                connection.execute(delete(subscriptions).where(table.address == user, table.plan == plan.id))
            audit.record(connection, admin, "plan_grant" if days else "plan_end", user, now_ms)
        return billing.subscriptions.shown(user)

    def _plan(self, plan_id: str) -> Plan:
        plan = self._billing.plans.find(plan_id)
        if plan is None:
            raise FloworkError(ErrorCode.NOT_FOUND, "This gateway has no plan of this name.")
        if plan.id == self._billing.plans.free.id:
            raise FloworkError(ErrorCode.INVALID_REQUEST, "Everybody has this plan; it is not given.")
        return plan
