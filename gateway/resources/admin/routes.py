"""The REST shape of what operators may do."""

from __future__ import annotations

from gateway.context import Context
from gateway.resources.admin.plans import UserPlans
from gateway.resources.admin.service import Operators
from gateway.resources.kill_switch.service import KillSwitch
from gateway.web.routing import route
from shared.clock import iso
from shared.contract import admin as a
from shared.contract.billing import Subscription
from shared.contract.proxy import Done
from shared.signing.keys import checksum_address


class Routes:
    """Answers operators, and refuses everybody else."""

    def __init__(self, context: Context) -> None:
        self._operators = Operators(
            context.database, context.clock, context.admins, context.billing.subscriptions
        )
        self._plans = UserPlans(context.billing)
        self._switch = KillSwitch(context.database, context.clock, context.links)

    @route(a.LIST_USERS)
    def users(self, caller: str, query: a.UsersQuery) -> a.AdminUsers:
        """List users."""
        self._operators.require(caller, a.LIST_USERS)
        return self._operators.users((query.after or "").lower(), query.limit)

    @route(a.LIST_PLANS)
    def plans(self, caller: str) -> list[a.AdminPlan]:
        """List plans."""
        self._operators.require(caller, a.LIST_PLANS)
        return self._plans.listing()

    @route(a.GRANT_PLAN)
    def grant_plan(self, caller: str, body: a.GrantPlanBody, address: str) -> Subscription:
        """Give days of a plan."""
        self._operators.require(caller, a.GRANT_PLAN)
        return self._plans.grant(caller, address, body.plan, body.days)

    @route(a.LIST_DISABLED)
    def disabled(self, caller: str) -> list[a.DisabledComponent]:
        """List switched-off components."""
        self._operators.require(caller, a.LIST_DISABLED)
        return [
            a.DisabledComponent(
                component_id=row.component_id,
                reason=row.reason,
                by=checksum_address(row.by),
                at=iso(row.at_ms),
            )
            for row in self._switch.listing()
        ]

    @route(a.DISABLE_COMPONENT)
    def disable(self, caller: str, body: a.DisableBody, component_id: str) -> Done:
        """Switch a component off."""
        self._operators.require(caller, a.DISABLE_COMPONENT)
        self._switch.disable(caller, component_id, body.reason)
        return Done(message="The component is switched off; engines were told.")

    @route(a.ENABLE_COMPONENT)
    def enable(self, caller: str, component_id: str) -> Done:
        """Switch a component on again."""
        self._operators.require(caller, a.ENABLE_COMPONENT)
        self._switch.enable(caller, component_id)
        return Done(message="The component may run again; engines were told.")
