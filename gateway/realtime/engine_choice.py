"""Which engine a page's command goes to: only one that its address owns or was given access to (protocol §3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.db.database import Database
from gateway.db.remembered import Remembered
from gateway.realtime.presence import Link, Presence
from gateway.resources.engines import queries
from shared.contract.base import Role
from shared.errors import ErrorCode, FloworkError

MAX_SHOWN = 64
_ROLES = {role.name.lower(): role for role in Role}


@dataclass(frozen=True, slots=True)
class Choice:
    """A live engine and the role that the gateway knows of there; the engine judges by its own rules."""

    link: Link
    role: Role


class EngineChoice:
    """Looks among the engines of an address; the existence of others is never told."""

    def __init__(self, database: Database, presence: Presence) -> None:
        self._presence = presence
        self._access = Remembered(database, _access_of)
        self._audience = Remembered(database, queries.audience)

    def choose(self, address: str, wanted: Any, latest: str | None) -> Choice:
        """Return the wanted engine if it is live, else an own live one, else a shared live one.

        Among those of one kind the ``latest`` used comes first. Raises ENGINE_UNAVAILABLE where none is live.
        """
        access = self.access(address)
        live = {engine_id: role for engine_id, role in access.items() if self._presence.is_online(engine_id)}
        own = [engine_id for engine_id, role in live.items() if role is Role.OWNER]
        for candidates in ([wanted] if isinstance(wanted, str) else [], own, list(live)):
            known = [engine_id for engine_id in candidates if engine_id in live]
            if not known:
                continue
            chosen = latest if latest in known else known[0]
            link = self._presence.find(chosen)
            if link is not None:
                return Choice(link, live[chosen])
        shown = wanted[:MAX_SHOWN] if isinstance(wanted, str) and wanted else "active"
        raise FloworkError(
            ErrorCode.ENGINE_UNAVAILABLE, f"Engine {shown} is not connected to the Gateway.", retry_after=5
        )

    def access(self, address: str) -> Mapping[str, Role]:
        """Return the engines that an address may use, own ones first, and the role on each."""
        return self._access.get(address)

    def live_link(self, engine_id: str) -> Link | None:
        """Return the link of an engine that is up."""
        return self._presence.find(engine_id) if self._presence.is_online(engine_id) else None

    def audience(self, engine_id: str) -> Sequence[str]:
        """Return the addresses that may use an engine."""
        return self._audience.get(engine_id)


def _access_of(connection: Any, address: str) -> dict[str, Role]:
    return {engine_id: _ROLES[role] for engine_id, role in queries.access_of(connection, address).items()}
