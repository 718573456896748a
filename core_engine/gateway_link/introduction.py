"""What engine and gateway are to each other on the link, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class LinkRefusedError(Exception):
    """The gateway does not accept this engine."""


class LinkLostError(Exception):
    """The connection could not be made, or broke."""


class Owner(Protocol):
    """What the link reports about ownership; see `AccessControl`."""

    async def meet_owner(self, address: str | None) -> None:
        """Hear from the gateway whose engine this is."""
        ...

    async def claim(self, address: str, proof: str) -> None:
        """Judge a claim; raises FloworkError."""
        ...


@dataclass(frozen=True, slots=True)
class Introduction:
    """How the engine presents itself to the gateway."""

    engine_id: str
    token: str
    service_secret: str
    ready: Callable[[], dict[str, Any]]

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the handshake."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return headers | ({"X-API-Key": self.service_secret} if self.service_secret else {})
