"""Publishes a message to an MQTT broker."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.dialling import CaCertificates, Host, Port
from core_engine.components.fields import form
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_MOST_BYTES = 16 * 1024 * 1024


class BrokerConfig(Config):
    """The broker and how to sign in."""

    host: Host = Field(title="Broker", description="The broker's name.")
    port: Port = Field(8883, description="Its port: mostly 8883 for tls, 1883 for none.")
    security: Literal["tls", "none"] = Field(
        "tls", description="How the connection is protected. none is only for a broker on this machine."
    )
    username: str = Field("", max_length=1000, description="User name; empty does not sign in.")
    password: str = Field(
        "", max_length=4000, description="Password; better a secret variable than the text itself.",
        json_schema_extra=form(placeholder="{{ vars.MQTT_PASSWORD }}", secret=True),
    )  # fmt: skip
    client_id: str = Field(
        "",
        max_length=100,
        title="Client id",
        description="Name shown to the broker; empty takes one by chance.",
    )
    ca_certificates: CaCertificates = ""


class MqttPublishConfig(BrokerConfig):
    """What is published, and where."""

    topic: str = Field(
        min_length=1, max_length=1000, description="Topic, such as garden/moisture; no + and # in it.",
        json_schema_extra=form(placeholder="garden/moisture"),
    )  # fmt: skip
    message: Any = Field(
        None, description="What is published: a text, or any value as JSON; empty takes the whole data.",
        json_schema_extra=form(widget="textarea", rows=4, placeholder="{{ data }}"),
    )  # fmt: skip
    quality: Literal["0", "1", "2"] = Field(
        "1", description="0: at most once. 1: at least once. 2: exactly once between here and the broker."
    )
    retain: bool = Field(False, description="The broker keeps it and gives it to whoever subscribes later.")
    timeout_seconds: float = Field(30.0, gt=0, le=3600, description="Longest time it may take, in seconds.")

    @field_validator("topic")
    @classmethod
    def _names_one_topic(cls, topic: str) -> str:
        if any(sign in "+#" or ord(sign) < 32 for sign in topic):
            raise ValueError("a topic to publish to holds no + and # and no control characters")
        return topic


class MqttPublish(Component[MqttPublishConfig]):
    """Publishes a message."""

    id = "mqtt_publish"
    name = "MQTT publish"
    description = "Publishes a message to a topic of an MQTT broker."
    category = "Network"
    policy = StepPolicy.ONCE
    execution = Execution.ASYNC
    config_model = MqttPublishConfig

    def __init__(self, network: NetworkPolicy) -> None:
        self._network = network

    @override
    async def execute(self, context: Context, config: MqttPublishConfig, payload: Payload) -> Result:
        """Return ``topic`` and ``size_bytes``; with quality 1 and 2 the broker has taken the message by then."""
        from core_engine.components.builtin.mqtt_publish.broker import publish  # noqa: PLC0415 - heavy, only where used

        content = _content(config.message, payload.data)
        await publish(self._network, config, content)
        context.log(f"Published {len(content)} bytes to {config.topic}.")
        return Result.on("success", {"topic": config.topic, "size_bytes": len(content)}, payload.history)

    @override
    async def simulate(self, context: Context, config: MqttPublishConfig, payload: Payload) -> Result:
        """Connect to nobody."""
        content = _content(config.message, payload.data)
        context.log(f"Simulated: would publish {len(content)} bytes to {config.topic}.")
        data = {"topic": config.topic, "size_bytes": len(content), "simulated": True}
        return Result.on("success", data, payload.history)


def _content(given: Any, data: Any) -> bytes:
    value = data if given in (None, "") else given
    content = (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).encode(
        "utf-8", "replace"
    )
    if len(content) > _MOST_BYTES:
        raise FloworkError(ErrorCode.TOO_LARGE, "A message of MQTT may be 16 MiB at most here.")
    return content
