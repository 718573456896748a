"""The gateway's own state (protocol §1.5)."""

from __future__ import annotations

from typing import Literal

from shared.contract.base import Auth, Operation, Outgoing, Rate


class Health(Outgoing):
    """The gateway can serve."""

    status: Literal["healthy"]
    database: Literal["connected"]


HEALTH = Operation(
    "health", "GET", "/system/health", Auth.NONE, "Whether the gateway can serve", Health, "system",
    errors=("INTERNAL",), rate=Rate.LIGHT,
)  # fmt: skip
