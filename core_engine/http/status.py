"""What the engine tells about itself over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """A snapshot of the engine; ``link`` is the state of the connection to the gateway, ``owner`` an address."""

    engine_id: str
    version: str
    owner_pinned: bool
    owner: str | None
    link: str
    busy: bool
    open_runs: int
    connections: int
    isolation: str
    uptime_seconds: float

    def to_wire(self) -> dict[str, Any]:
        """Return the body of ``GET /api/v1/status``."""
        return {
            "status": "ready",
            "engine_id": self.engine_id,
            "version": self.version,
            "owner_pinned": self.owner_pinned,
            "owner": self.owner,
            "link": self.link,
            "runs": {"busy": self.busy, "open": self.open_runs},
            "connections": self.connections,
            "isolation": self.isolation,
            "uptime_seconds": round(self.uptime_seconds, 3),
        }


StatusSource = Callable[[], EngineStatus]
