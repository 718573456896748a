"""Waits for an event from another workflow or from outside."""

from __future__ import annotations

import secrets
from typing import Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config, Port
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import LONGEST_EVENT, Answer, AwaitedEvent, Ending, Suspend

_TEN_YEARS = 10 * 365 * 86_400.0
RESUME_PATH = "/webhook/resume/"


class EventWaitConfig(Config):
    """Which event, and how long."""

    event_name: str = Field(
        "",
        max_length=LONGEST_EVENT,
        pattern=r"^\S*$",
        description="Name of the event, as Publish event tells it; empty: only the step's own web address is heard.",
        json_schema_extra=form(placeholder="order.paid"),
    )
    correlation: str = Field(
        "",
        max_length=LONGEST_EVENT,
        description="Only an event with this correlation value counts; empty: every event of the name.",
        json_schema_extra=form(placeholder="{{ data.order_id }}"),
        coerce_numbers_to_str=True,
    )
    timeout_seconds: float = Field(
        0.0, ge=0, le=_TEN_YEARS, description="How long to wait, in seconds; 0 waits for ever."
    )
    show_address: Literal["no", "log", "popup"] = Field(
        "no",
        description="Whether the step's secret web address, which ends the wait too, is written to the log or shown.",
    )


class WaitForEvent(Component[EventWaitConfig]):
    """Waits, for weeks if need be, until something is told."""

    id = "wait_for_event"
    name = "Wait for Event"
    description = (
        "Waits until an event is published or the step's secret web address is called; hands on what came."
    )
    category = "Logic"
    kind = "CONTROL_FLOW"
    outputs = (
        Port("success", "Success", "The event came; its data goes on."),
        Port("timeout", "Timeout", "No event came in time; the step's own data goes on."),
        Port("error", "Error"),
    )
    config_model = EventWaitConfig
    awaits_events = True

    @override
    def execute(self, context: Context, config: EventWaitConfig, payload: Payload) -> Suspend:
        """Be put aside until the event comes."""
        event = AwaitedEvent(config.event_name, config.correlation, secrets.token_urlsafe(32))
        address = f"{RESUME_PATH}{event.token}"
        if config.show_address == "log":
            context.log(f"The wait ends with a POST to {address}.")
        elif config.show_address == "popup":
            context.popup("Waits for an event", {"method": "POST", "path": address})
        after = round(config.timeout_seconds * 1000) if config.timeout_seconds else None
        return Suspend(event=event, after_ms=after)

    @override
    def resume(self, context: Context, config: EventWaitConfig, payload: Payload, answer: Answer) -> Result:
        """Hand on what came, or go by the time-out."""
        if answer.ending is Ending.TIMEOUT:
            return Result({"timeout": payload})
        return Result.on("success", answer.data, payload.history)

    @override
    def simulate(self, context: Context, config: EventWaitConfig, payload: Payload) -> Result:
        """Do not wait: the step's own data stands for the event's."""
        context.log(f"Simulated: would wait for {config.event_name or 'its address'}.", "DEBUG")
        return Result({"success": payload})
