"""Publishes an event that other workflows are started by."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.outlet import EventOutlet, PublishedEvent
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class PublishConfig(Config):
    """What is told."""

    event_name: str = Field(
        min_length=1, max_length=200, description="Name of the event, such as order.paid."
    )
    correlation: str = Field(
        "", max_length=200, coerce_numbers_to_str=True,
        description="A value that tells this event from others of its name, for steps that wait for it.",
        json_schema_extra=form(placeholder="{{ data.order_id }}"),
    )  # fmt: skip
    data: Any = Field(
        None, description="What the event carries; empty: the data of this step.",
        json_schema_extra=form(widget="textarea", placeholder="{{ data.order }}", rows=4),
    )  # fmt: skip


class PublishEvent(Component[PublishConfig]):
    """Publishes an event."""

    id = "publish_event"
    name = "Publish event"
    description = (
        "Publishes an event: workflows with an event bus trigger of its name start, and waiting steps go on."
    )
    category = "Triggers"
    policy = StepPolicy.KEYED
    execution = Execution.ASYNC
    queue = "engine"
    config_model = PublishConfig

    def __init__(self, outlet: EventOutlet) -> None:
        self._outlet = outlet

    @override
    async def execute(self, context: Context, config: PublishConfig, payload: Payload) -> Result:
        """Publish; returns how many rules it fires as ``listeners``. Repeated, it starts nothing twice."""
        data = payload.data if config.data in (None, "") else config.data
        event = PublishedEvent(
            config.event_name,
            data,
            context.run_id,
            context.node_id,
            context.idempotency_key,
            config.correlation,
        )
        listeners = await self._outlet.publish(event)
        return Result.on("success", _receipt(config, listeners), payload.history)

    @override
    async def simulate(self, context: Context, config: PublishConfig, payload: Payload) -> Result:
        """Publish nothing."""
        context.log(f"Simulated: would publish {config.event_name}.")
        return Result.on("success", {**_receipt(config, 0), "simulated": True}, payload.history)


def _receipt(config: PublishConfig, listeners: int) -> dict[str, Any]:
    return {"event_name": config.event_name, "listeners": listeners}
