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
    connecting = asyncio.create_task(
        client.connect(
            gateway.url,
            namespaces=[namespace],
            auth=auth,
            socketio_path="api/socket.io",
            transports=["websocket"],
            wait_timeout=WAIT,
            **options,
        )
    )
    hearing = asyncio.create_task(answered.wait())
    try:
        await asyncio.wait({connecting, hearing}, timeout=WAIT, return_when=asyncio.FIRST_COMPLETED)
        if connecting.done() and not connecting.exception():
            raise AssertionError("the connect was accepted")
        await asyncio.wait_for(hearing, WAIT)
        return told
    finally:
        await _end(client, connecting, hearing)


async def _end(client: socketio.AsyncClient, *tasks: asyncio.Task[Any]) -> None:
    """End it all at once: where both sides close at the same time the library would wait half a minute."""
    await client.eio.disconnect(abort=True)
    loops = [task for task in (client.eio.read_loop_task, client.eio.write_loop_task) if task]
    for task in (*tasks, *loops):
        task.cancel()
    await asyncio.gather(*tasks, *loops, return_exceptions=True)
    if client.eio.http is not None:
        await client.eio.http.close()
