"""Connects that are meant to be refused."""

from __future__ import annotations

import asyncio
from typing import Any

import socketio

from tests.gateway.support import WAIT, Gateway


async def refused(gateway: Gateway, namespace: str, auth: Any, **options: Any) -> dict[str, Any]:
    """Connect, expect a refusal, and return what the client was told, with any ``auth_failed`` event."""
    client = socketio.AsyncClient(reconnection=False)
    told: dict[str, Any] = {}
    answered = asyncio.Event()

    async def note(data: Any) -> None:
        told.update(data if isinstance(data, dict) else {"message": data})
        answered.set()

    async def failed(data: Any) -> None:
        told["auth_failed"] = data

    client.on("connect_error", note, namespace=namespace)
    client.on("auth_failed", failed, namespace=namespace)
    try:
        await client.connect(
            gateway.url,
            namespaces=[namespace],
            auth=auth,
            socketio_path="api/socket.io",
            transports=["websocket"],
            wait_timeout=WAIT,
            **options,
        )
    except socketio.exceptions.ConnectionError:
        await asyncio.wait_for(answered.wait(), WAIT)
        return told
    finally:
        await client.disconnect()
    raise AssertionError("the connect was accepted")
