"""The load's own WebSocket client, against a server of a well-known library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from benchmarks.wire import connect, framed


@asynccontextmanager
async def echo() -> AsyncIterator[str]:
    async def answer(socket: ServerConnection) -> None:
        await socket.ping()
        async for message in socket:
            if message == "leave":
                await socket.close(1008, "as you wish")
            await socket.send(message)

    async with serve(answer, "127.0.0.1", 0, max_size=None) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/?a=b"


async def test_frames_of_every_size_go_there_and_back() -> None:
    sizes = (0, 1, 125, 126, 65_535, 65_536, 300_000)
    sent = [b"x" * size for size in sizes]
    came: list[bytes] = []
    all_came = asyncio.Event()

    def take(message: bytes) -> None:
        came.append(message)
        if len(came) == 2 * len(sent):
            all_came.set()

    async with echo() as url:
        socket = await connect(url, take)
        for message in sent:
            socket.send(message)
        socket.send_framed(b"".join(map(framed, sent)))
        async with asyncio.timeout(60):
            await all_came.wait()
        socket.close()
    assert came == sent * 2


async def test_why_a_connection_ended_is_known() -> None:
    async with echo() as url:
        socket = await connect(url, lambda _: None)
        socket.send(b"leave")
        async with asyncio.timeout(60):
            assert await socket.gone == "closed: as you wish"


async def test_a_server_that_refuses_is_quoted() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Not here\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionError, match="403 Not here"):
            await connect(f"ws://127.0.0.1:{port}/", lambda _: None)
