"""Collecting the messages of a subscription."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiomqtt
import msgspec

from core_engine.components.builtin.mqtt_publish.broker import connected, failed
from core_engine.components.builtin.mqtt_wait.component import MqttWaitConfig
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.payload import MAX_DEPTH
from shared.errors import ErrorCode, FloworkError
from shared.signing.strict_json import check_depth

_CONNECT_SECONDS = 30.0


async def wait(network: NetworkPolicy, config: MqttWaitConfig) -> list[dict[str, Any]]:
    """Return the first messages. Raises FloworkError FORBIDDEN, TOO_LARGE, DEADLINE_EXCEEDED, COMPONENT_FAILED."""
    messages: list[dict[str, Any]] = []
    subscribed = asyncio.Event()
    seconds = config.timeout_seconds
    try:
        async with (
            asyncio.timeout(seconds),
            connected(network, config, seconds=min(seconds, _CONNECT_SECONDS)) as client,
        ):
            await client.subscribe([(topic, int(config.quality)) for topic in config.topics])
            subscribed.set()
            await _collect(client, config, messages)
    except TimeoutError:
        if not subscribed.is_set():
            raise failed(config, f"did not answer within {seconds:g} s") from None
        if config.at_timeout == "fail":
            raise FloworkError(
                ErrorCode.DEADLINE_EXCEEDED,
                f"{len(messages)} of {config.count} messages came within {seconds:g} s.",
            ) from None
    return messages


async def _collect(client: aiomqtt.Client, config: MqttWaitConfig, messages: list[dict[str, Any]]) -> None:
    left = config.max_kib * 1024
    async for message in client.messages:
        if message.retain and not config.retained:
            continue
        content = message.payload or b""
        left -= len(content)
        if left < 0:
            raise FloworkError(
                ErrorCode.TOO_LARGE, f"The messages are larger than {config.max_kib} KiB in all."
            )
        messages.append(
            {
                "topic": str(message.topic), "content": _read(content, config.content), "retained": message.retain,
                "quality": message.qos,
            }
        )  # fmt: skip
        if len(messages) >= config.count:
            return


def _read(content: bytes, kind: str) -> Any:
    if kind in {"auto", "json"}:
        try:
            check_depth(content, MAX_DEPTH)
            return msgspec.json.decode(content)
        except (FloworkError, msgspec.DecodeError, UnicodeError) as error:
            if kind == "json":
                raise FloworkError(ErrorCode.COMPONENT_FAILED, "A message is not JSON.") from error
    if kind != "base64":
        try:
            return content.decode("utf-8", "strict" if kind == "auto" else "replace")
        except UnicodeDecodeError:
            pass  # neither JSON nor text
    return base64.b64encode(content).decode()
