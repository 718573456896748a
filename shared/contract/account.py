"""Accounts: an identity is a wallet address, known to the gateway from its first signed request (protocol §1.1)."""

from __future__ import annotations

from shared.contract.base import Address, Auth, Operation, Outgoing
from shared.contract.engine import Message

PERMISSIONS = (
    "basic_access",
    "execute_workflow",
    "manage_engines",
    "save_presets",
    "share_workflows",
    "api_access",
)

UNLIMITED_TIER = "architect"
"""The documented name of the tier that may do everything: everybody's, where a gateway has no plans."""


class Profile(Outgoing):
    """The signed-in identity; ``user_id`` is the address.

    ``tier`` is the plan in force and ``license_expires_at`` its end; on a gateway without plans everybody has the
    highest tier, without end.
    """

    user_id: Address
    email: str | None
    username: str
    public_address: Address
    tier: str
    permissions: list[str]
    license_expires_at: str | None


GET_PROFILE = Operation(
    "get_profile", "GET", "/auth/profile", Auth.WALLET, "Who is signed in; an unknown address is registered",
    Profile, "auth",
)  # fmt: skip
LOGOUT = Operation(
    "logout", "POST", "/auth/logout", Auth.WALLET, "End the caller's sessions on the gateway", Message, "auth"
)
REGISTER = Operation(
    "register", "POST", "/auth/register", Auth.NONE, "Not offered: an identity is a wallet key", Message, "auth",
    errors=("NOT_IMPLEMENTED",),
)  # fmt: skip
LOGIN = Operation(
    "login", "POST", "/auth/login", Auth.NONE, "Not offered: requests are signed, there is nothing to log in to",
    Message, "auth", errors=("NOT_IMPLEMENTED",),
)  # fmt: skip
