"""Publishing to a real MQTT broker and waiting for what it says."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import aiomqtt
import pytest
from pydantic import ValidationError

from core_engine.components.builtin.mqtt_publish.component import MqttPublish
from core_engine.components.builtin.mqtt_wait.component import MqttWait
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError
from tests.support.tcp import serving


def plain(broker, **more: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": broker.port, "security": "none", "timeout_seconds": 30, **more}


def secure(broker, certificate, **more: Any) -> dict[str, Any]:
    return {
        "host": "localhost", "port": broker.tls_port, "username": "garden", "password": "pass word",
        "ca_certificates": certificate.pem, "timeout_seconds": 30, **more,
    }  # fmt: skip


async def test_what_is_published_arrives(run, broker) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as listener:
        await listener.subscribe("garden/#")
        await run("mqtt_publish", plain(broker, topic="garden/a", message={"n": 1}))
        await run("mqtt_publish", plain(broker, topic="garden/b", quality="2"), {"whole": "é"})
        await run("mqtt_publish", plain(broker, topic="garden/c", message="text", quality="0"))
        got = [await anext(listener.messages) for _ in range(3)]
    assert [(str(message.topic), message.payload) for message in got] == [
        ("garden/a", b'{"n": 1}'), ("garden/b", '{"whole": "é"}'.encode()), ("garden/c", b"text"),
    ]  # fmt: skip


async def test_a_retained_message_is_given_to_who_comes_later(run, broker) -> None:
    await run("mqtt_publish", plain(broker, topic="garden/now", message="41", retain=True))
    data = (await run("mqtt_wait", plain(broker, topics="garden/+"))).outputs["success"].data
    (message,) = data["messages"]
    assert message == {"topic": "garden/now", "content": 41, "retained": True, "quality": 1}
    assert data["complete"] is True
    late = plain(broker, topics="garden/+", retained=False, timeout_seconds=1, at_timeout="continue")
    data = (await run("mqtt_wait", late)).outputs["success"].data
    assert (data["messages"], data["complete"]) == ([], False)


async def test_the_first_messages_are_handed_on(run, broker) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as speaker:
        for topic, content in (("a/1", b"text"), ("a/2", b'{"n": 1}'), ("a/3", b"\xff"), ("b/1", b"x")):
            await speaker.publish(topic, content, qos=1, retain=True)
    data = (await run("mqtt_wait", plain(broker, topics="a/+", count=3))).outputs["success"].data
    contents = {message["topic"]: message["content"] for message in data["messages"]}
    assert contents == {"a/1": "text", "a/2": {"n": 1}, "a/3": base64.b64encode(b"\xff").decode()}
    with pytest.raises(FloworkError, match="not JSON"):
        await run("mqtt_wait", plain(broker, topics="a/1", content="json"))
    with pytest.raises(FloworkError) as caught:
        await run("mqtt_wait", plain(broker, topics="big", max_kib=1, count=2, **await big(broker)))
    assert caught.value.code is ErrorCode.TOO_LARGE


async def big(broker) -> dict[str, Any]:
    async with aiomqtt.Client("127.0.0.1", broker.port) as speaker:
        await speaker.publish("big", bytes(2000), qos=1, retain=True)
    return {}


async def test_too_few_messages_fail_or_go_on(run, broker) -> None:
    with pytest.raises(FloworkError, match="0 of 1 messages came within 1 s") as caught:
        await run("mqtt_wait", plain(broker, topics="quiet", timeout_seconds=1))
    assert caught.value.code is ErrorCode.DEADLINE_EXCEEDED


async def test_signing_in_over_tls(run, broker, certificate) -> None:
    await run("mqtt_publish", secure(broker, certificate, topic="t", message="x", retain=True))
    data = (await run("mqtt_wait", secure(broker, certificate, topics="t"))).outputs["success"].data
    assert data["messages"][0]["content"] == "x"
    with pytest.raises(FloworkError, match="failed") as caught:
        await run("mqtt_publish", secure(broker, certificate, topic="t", password="wrong-one"))
    assert caught.value.code is ErrorCode.COMPONENT_FAILED
    assert "wrong-one" not in f"{caught.value}{caught.value.details}"


@pytest.mark.parametrize("change", [{"ca_certificates": ""}, {"host": "127.0.0.1"}])
async def test_certificates_are_checked_by_authority_and_name(run, broker, certificate, change) -> None:
    with pytest.raises(FloworkError, match="certificate is not trusted"):
        await run("mqtt_publish", secure(broker, certificate, topic="t", **change))


async def test_a_silent_broker_is_given_up(run) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(say_nothing) as port:
        config = {"host": "127.0.0.1", "port": port, "security": "none", "timeout_seconds": 0.5}
        for step, more in (("mqtt_publish", {"topic": "t"}), ("mqtt_wait", {"topics": "t"})):
            with pytest.raises(FloworkError) as caught:
                await run(step, {**config, **more})
            assert caught.value.code is ErrorCode.COMPONENT_FAILED


async def test_a_private_broker_is_refused(step, broker) -> None:
    for component, more in (
        (MqttPublish(NetworkPolicy()), {"topic": "t"}),
        (MqttWait(NetworkPolicy()), {"topics": "t"}),
    ):
        with pytest.raises(FloworkError) as caught:
            await component.execute(step, component.parse_config(plain(broker, **more)), Payload())
        assert caught.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize(
    ("step", "change", "what"),
    [
        ("mqtt_publish", {"topic": "a/#"}, "topic"), ("mqtt_publish", {"topic": ""}, "topic"),
        ("mqtt_publish", {"topic": "t", "quality": "3"}, "quality"), ("mqtt_wait", {"topics": "a/#/b"}, "topics"),
        ("mqtt_wait", {"topics": "a+"}, "topics"), ("mqtt_wait", {"topics": ""}, "topics"),
        ("mqtt_wait", {"topics": "t", "count": 0}, "count"), ("mqtt_wait", {"topics": "t", "host": ""}, "host"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(registry, step: str, change: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.find(step).parse_config({"host": "example.com", **change})
    assert what in str(caught.value.errors()[0]["loc"])


async def test_simulating_connects_to_nobody(run) -> None:
    config = {"host": "127.0.0.1", "port": 1, "security": "none"}
    published = await run("mqtt_publish", {**config, "topic": "t", "message": "x"}, mode=RunMode.SIMULATE)
    waited = await run("mqtt_wait", {**config, "topics": "t"}, mode=RunMode.SIMULATE)
    assert published.outputs["success"].data == {"topic": "t", "size_bytes": 1, "simulated": True}
    assert waited.outputs["success"].data["messages"] == []
