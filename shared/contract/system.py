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
    errors=("INTERNAL",), rate=Rate.LIGHT, failing=(503,),
)  # fmt: skip


class CacheStats(Outgoing):
    """What was cleared: entries of our own caches; nothing else is ever deleted."""

    files_deleted: int
    folders_deleted: int = 0
    db_rows_deleted: int = 0
    errors: int = 0


class CacheCleared(Outgoing):
    """The caches are empty."""

    message: str
    stats: CacheStats


CLEAR_CACHE = Operation(
    "clear_cache", "POST", "/system/clear-cache", Auth.WALLET, "Forget answers of engines that are kept for a moment",
    CacheCleared, "system",
)  # fmt: skip
DISABLED_COMPONENTS = Operation(
    "disabled_components", "GET", "/system/disabled-components", Auth.MACHINE,
    "Components that engines must not run", list[str], "system",
)  # fmt: skip
