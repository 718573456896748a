"""The way of events out of components: the engine's triggers listen here, once they are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event of a step: the same ``key`` is the same event, however often it is published."""

    event_name: str
    data: Any
    run_id: str
    node_id: str
    key: str
    correlation: str = ""


class EventReceiver(Protocol):
    """Takes published events."""

    async def publish(self, event: PublishedEvent) -> int:
        """Note the event durably and return how many rules and waiting steps hear it."""
        ...


class EventOutlet:
    """Where components publish; the engine connects the receiver before any run goes on."""

    def __init__(self) -> None:
        self._receiver: EventReceiver | None = None

    def connect(self, receiver: EventReceiver) -> None:
        """Hand events to this receiver from now on."""
        self._receiver = receiver

    async def publish(self, event: PublishedEvent) -> int:
        """Return how many rules and steps hear the event, once it is on the disk; without a receiver nobody listens."""
        return 0 if self._receiver is None else await self._receiver.publish(event)
