"""What operators of a gateway may do: see who is there, and switch components off on every engine."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from shared.contract.base import Address, Auth, Incoming, Operation, Outgoing
from shared.contract.billing import PlanId, PlanItem, Subscription
from shared.contract.proxy import Done

MOST_USERS = 200


class DisableBody(Incoming):
    """Why the component is switched off; shown wherever it is refused."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=300)]


class DisabledComponent(Outgoing):
    """A component that no engine of this gateway runs."""

    component_id: str
    reason: str
    by: Address
    at: str


class UsersQuery(Incoming):
    """A page of the list: users after an address, in the order of addresses."""

    after: Address | None = None
    limit: int = Field(default=50, ge=1, le=MOST_USERS)


class AdminUser(Outgoing):
    """A user as operators see it; ``plan`` is the one in force."""

    address: Address
    username: str | None
    created_at: str
    engines: int
    plan: PlanId


class AdminUsers(Outgoing):
    """A page of users; ``next`` is the ``after`` of the following page."""

    users: list[AdminUser]
    total: int
    next: Address | None


class AdminPlan(Outgoing):
    """A plan and how many users have it at the moment; those of the first plan are not counted (null)."""

    plan: PlanItem
    users: int | None


class GrantPlanBody(Incoming):
    """How many days of a plan somebody is given; 0 ends the plan now, whether it was paid or given."""

    plan: PlanId
    days: int = Field(ge=0, le=3660)


_TAG = "admin"
LIST_PLANS = Operation(
    "admin_plans", "GET", "/admin/plans", Auth.WALLET, "The plans, and how many users have each", list[AdminPlan],
    _TAG, errors=("FORBIDDEN",),
)  # fmt: skip
GRANT_PLAN = Operation(
    "grant_plan", "PUT", "/admin/users/{address}/plan", Auth.WALLET, "Give a user days of a plan, or end the plan",
    Subscription, _TAG, body=GrantPlanBody, errors=("INVALID_REQUEST", "FORBIDDEN", "NOT_FOUND"),
)  # fmt: skip
LIST_USERS = Operation(
    "admin_users", "GET", "/admin/users", Auth.WALLET, "The users of this gateway", AdminUsers, _TAG,
    query=UsersQuery, errors=("INVALID_REQUEST", "FORBIDDEN"),
)  # fmt: skip
LIST_DISABLED = Operation(
    "admin_disabled_components", "GET", "/admin/disabled-components", Auth.WALLET,
    "Switched-off components with their reasons", list[DisabledComponent], _TAG, errors=("FORBIDDEN",),
)  # fmt: skip
DISABLE_COMPONENT = Operation(
    "disable_component", "PUT", "/admin/disabled-components/{component_id}", Auth.WALLET,
    "Switch a component off on every engine", Done, _TAG, body=DisableBody,
    errors=("INVALID_REQUEST", "FORBIDDEN", "NOT_FOUND", "CONFLICT"),
)  # fmt: skip
ENABLE_COMPONENT = Operation(
    "enable_component", "DELETE", "/admin/disabled-components/{component_id}", Auth.WALLET,
    "Let engines run a component again", Done, _TAG, errors=("FORBIDDEN", "NOT_FOUND"),
)  # fmt: skip
