"""What the rooms of the engine tell of their work, for whoever counts it."""

from __future__ import annotations

from typing import Protocol

DONE = "ok"
"""The outcome of what was done; else it is the value of an `shared.errors.ErrorCode`."""


class Meter(Protocol):
    """Someone who counts. Called on the event loop, often: it must be quick and must not fail."""

    def verified(self, seconds: float, outcome: str) -> None:
        """Note the check of one signed message and how long it took."""
        ...

    def answered(self, outcome: str) -> None:
        """Note a message that was carried out or refused."""
        ...

    def relayed(self, direction: str, count: int) -> None:
        """Note messages of pages behind the gateway: ``in`` or ``out``."""
        ...


class Uncounted:
    """Counts nothing."""

    def verified(self, seconds: float, outcome: str) -> None:
        """Do nothing."""

    def answered(self, outcome: str) -> None:
        """Do nothing."""

    def relayed(self, direction: str, count: int) -> None:
        """Do nothing."""
