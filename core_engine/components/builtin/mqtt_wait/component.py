"""Waits for messages of an MQTT broker."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.builtin.mqtt_publish.component import BrokerConfig
from core_engine.components.fields import Words, form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class MqttWaitConfig(BrokerConfig):
    """Which messages, how many, and how long."""

    topics: Words = Field(
        min_length=1, max_length=100,
        description="Topics with commas; + stands for one part, # at the end for all that follow.",
        json_schema_extra=form(placeholder="garden/#"),
    )  # fmt: skip
    count: int = Field(1, ge=1, le=1000, description="How many messages are waited for.")
    timeout_seconds: float = Field(60.0, gt=0, le=86_400, description="Longest wait, in seconds.")
    at_timeout: Literal["fail", "continue"] = Field(
        "fail", description="When fewer came in time: fail, or go on with those that came."
    )
    quality: Literal["0", "1", "2"] = Field("1", description="How surely the broker delivers.")
    retained: bool = Field(True, description="Take messages, too, that the broker has kept from before.")
    content: Literal["auto", "text", "json", "base64"] = Field(
        "auto", description="How contents are read. auto: JSON when it is, else text, else base64."
    )
    max_kib: int = Field(
        4096,
        ge=1,
        le=65_536,
        title="Largest contents (KiB)",
        description="More content in all is refused, in KiB.",
    )

    @field_validator("topics")
    @classmethod
    def _are_topics(cls, topics: list[str]) -> list[str]:
        for topic in topics:
            parts = topic.split("/")
            odd = any(len(part) > 1 and any(sign in "+#" for sign in part) for part in parts)
            if odd or "#" in parts[:-1] or len(topic) > 1000 or any(ord(sign) < 32 for sign in topic):
                raise ValueError(f"{topic!r} is no topic: + stands for a whole part, # only at the end")
        return topics


class MqttWait(Component[MqttWaitConfig]):
    """Waits for messages."""

    id = "mqtt_wait"
    name = "MQTT wait"
    description = "Subscribes to topics of an MQTT broker and hands on the first messages that come."
    category = "Network"
    execution = Execution.ASYNC
    config_model = MqttWaitConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    async def execute(self, context: Context, config: MqttWaitConfig, payload: Payload) -> Result:
        """Return ``messages`` (topic, content, retained, quality), ``count`` and ``complete``."""
        from core_engine.components.builtin.mqtt_wait.waiting import wait  # noqa: PLC0415 - heavy, only where used

        messages = await wait(self._network, config)
        return Result.on("success", _data(messages, config), payload.history)

    @override
    async def simulate(self, context: Context, config: MqttWaitConfig, payload: Payload) -> Result:
        """Connect to nobody and wait for nothing."""
        context.log(f"Simulated: would wait for {config.count} messages of {', '.join(config.topics)}.")
        return Result.on("success", {**_data([], config), "simulated": True}, payload.history)


def _data(messages: list[dict[str, Any]], config: MqttWaitConfig) -> dict[str, Any]:
    return {"messages": messages, "count": len(messages), "complete": len(messages) >= config.count}
