"""A connection to an MQTT broker, by a judged address."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiomqtt
from typing_extensions import override

from core_engine.components.builtin.mqtt_publish.component import BrokerConfig, MqttPublishConfig
from core_engine.components.dialling import dial, require_loopback, trusting
from core_engine.components.network import NetworkPolicy
from shared.errors import ErrorCode, FloworkError

_MOST_WAITING = 2000


class _Named(ssl.SSLContext):
    """Checks the certificate for the host's name although an address is dialled."""

    expected: str
    made: ssl.SSLSocket | None = None

    @override
    def wrap_socket(self, sock: Any, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        named["server_hostname"] = self.expected
        self.made = super().wrap_socket(sock, *arguments, **named)
        return self.made


async def publish(network: NetworkPolicy, config: MqttPublishConfig, content: bytes) -> None:
    """Publish one message; raises FloworkError FORBIDDEN, INVALID_REQUEST or COMPONENT_FAILED."""
    try:
        async with (
            asyncio.timeout(config.timeout_seconds),
            connected(network, config, seconds=config.timeout_seconds) as client,
        ):
            await client.publish(config.topic, content, qos=int(config.quality), retain=config.retain)
    except TimeoutError:
        raise failed(config, f"did not answer within {config.timeout_seconds:g} s") from None


@asynccontextmanager
async def connected(
    network: NetworkPolicy, config: BrokerConfig, *, seconds: float
) -> AsyncIterator[aiomqtt.Client]:
    """Give a connected client; raises FloworkError FORBIDDEN, INVALID_REQUEST or COMPONENT_FAILED."""
    opened = await dial(network, config.host, config.port)
    try:
        address = str(opened.getpeername()[0])
        if config.security == "none":
            require_loopback(opened)
    finally:
        opened.close()  # the library dials by itself: the address that was judged, not the name
    context = _context(config) if config.security == "tls" else None
    client = aiomqtt.Client(
        address, config.port, username=config.username or None, password=config.password or None,
        identifier=config.client_id or None, timeout=seconds, max_queued_incoming_messages=_MOST_WAITING,
        tls_context=context,
    )  # fmt: skip
    try:
        async with client:
            yield client
    except aiomqtt.MqttError as error:
        text = str(error)
        if "CERTIFICATE_VERIFY_FAILED" in text:
            text = "the broker's certificate is not trusted"
        raise failed(config, f"failed: {text[:300]}") from None
    finally:
        if context is not None and context.made is not None:
            context.made.close()  # the library leaves it open when the handshake fails


def failed(config: BrokerConfig, what: str) -> FloworkError:
    """Return the error that names the broker."""
    return FloworkError(ErrorCode.COMPONENT_FAILED, f"{config.host}:{config.port} {what}.")


def _context(config: BrokerConfig) -> _Named:
    trusting(config.ca_certificates)  # refuses what is no PEM
    context = _Named(ssl.PROTOCOL_TLS_CLIENT)
    context.expected = config.host
    if config.ca_certificates.strip():
        context.load_verify_locations(cadata=config.ca_certificates)
    else:
        context.load_default_certs()
    return context
