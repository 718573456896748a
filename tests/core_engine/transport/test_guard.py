"""Many messages in one write: byte for byte what the library would send one by one."""

from __future__ import annotations

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from core_engine.transport import guard

SIZES = (0, 1, 125, 126, 127, 65_535, 65_536, 70_001)


@pytest.mark.parametrize("size", SIZES)
def test_the_head_of_a_message_is_the_librarys(size: int) -> None:
    data = b"x" * size
    assert guard._head(size) + data == Frame(Opcode.TEXT, data).serialize(mask=False)


async def test_messages_of_one_write_arrive_one_by_one_and_a_closed_connection_says_so() -> None:
    sent = ["é" * size for size in SIZES]
    ended: list[type[Exception]] = []

    async def talk(connection: ServerConnection) -> None:
        assert isinstance(connection, guard.GuardedConnection)
        await connection.send_texts([text.encode() for text in sent])
        await connection.recv()
        await connection.close()
        try:
            await connection.send_texts([b"late"])
        except ConnectionClosed as error:
            ended.append(type(error))

    async with serve(
        talk, "127.0.0.1", 0, create_connection=guard.GuardedConnection, compression=None
    ) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", max_size=2**20) as client:
            assert [await client.recv() for _ in sent] == sent
            await client.send("thanks")
            with pytest.raises(ConnectionClosed):
                await client.recv()
    assert ended
