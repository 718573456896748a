"""Starts a workflow when another one publishes an event."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from core_engine.components.triggers import TriggerComponent
from core_engine.kernel.component import Config


class EventBusConfig(Config):
    """Which event."""

    event_name_to_listen: str = Field(
        min_length=1, max_length=200, validation_alias=AliasChoices("event_name_to_listen", "event_name"),
        description="Name of the event, as a Publish event node gives it; a * at the end stands for any rest.",
    )  # fmt: skip

    def hears(self, event_name: str) -> bool:
        """Whether an event of this name counts."""
        wanted = self.event_name_to_listen
        return event_name.startswith(wanted[:-1]) if wanted.endswith("*") else event_name == wanted


class EventBusTrigger(TriggerComponent[EventBusConfig]):
    """Fires when an event is published."""

    id = "event_bus_trigger"
    name = "Event Bus Trigger"
    description = "Starts the workflow when another workflow publishes an event of this name."
    config_model = EventBusConfig
