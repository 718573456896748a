"""The engine's end of a child's way out, asked by the test itself through a real door, for a server on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.isolation import egress
from core_engine.components.isolation.egress import Egress, open_door
from core_engine.components.isolation.hosts import Hosts
from core_engine.components.network import NetworkPolicy

LOOPBACK = NetworkPolicy(["127.0.0.0/8", "::1/128"])
SECONDS = 30


class Server:
    """Says ``hello``, sends back what it gets, and says ``bye`` when no more comes."""

    def __init__(self) -> None:
        self.port = 0
        self.ended = 0
        self.received = b""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            writer.write(b"hello")
            while data := await reader.read(1000):
                self.received += data
                writer.write(data)
            writer.write(b"bye")
            await writer.drain()
        except OSError:
            pass  # it was cut off
        finally:
            self.ended += 1
            writer.close()

    async def wait_until_ended(self, count: int) -> None:
        async with asyncio.timeout(SECONDS):
            while self.ended < count:  # noqa: ASYNC110 - a count that only grows
                await asyncio.sleep(0.01)


class Child:
    """Stands in for a locked child: holds its end of the door."""

    def __init__(self, network: NetworkPolicy, port: int) -> None:
        self.lines: list[tuple[str, str]] = []
        ours, self.door = open_door()
        self.port = port
        self.door.setblocking(False)
        hosts = Hosts.read([f"localhost:{port}"])
        self.egress = Egress(network, hosts, lambda text, level: self.lines.append((text, level)))
        self.serving = asyncio.create_task(self._serve(ours))

    async def _serve(self, ours: socket.socket) -> None:
        with ours:
            await self.egress.serve(ours)

    async def say(self, message: bytes) -> tuple[dict[str, Any], socket.socket | None]:
        """Send a message through the door; return the answer and the connection."""
        loop, readable = asyncio.get_running_loop(), asyncio.Event()
        self.door.send(message)
        loop.add_reader(self.door.fileno(), readable.set)
        try:
            async with asyncio.timeout(SECONDS):
                await readable.wait()
        finally:
            loop.remove_reader(self.door.fileno())
        answer, descriptors, _, _ = socket.recv_fds(self.door, 4096, 1)
        opened = socket.socket(fileno=descriptors[0]) if descriptors else None
        if opened:
            opened.setblocking(False)
        return json.loads(answer), opened

    async def ask(
        self, host: str = "localhost", port: int = 0
    ) -> tuple[dict[str, Any], socket.socket | None]:
        return await self.say(json.dumps({"host": host, "port": port or self.port}).encode())

    async def connect(self) -> socket.socket:
        """Return a connection to the server, whose greeting was read."""
        answer, opened = await self.ask()
        assert answer == {}
        assert opened is not None
        assert await read(opened, 5) == b"hello"
        return opened

    async def refused(self, host: str = "localhost", port: int = 0) -> str:
        """Ask and return why there is no connection; the log says it too."""
        answer, opened = await self.ask(host, port)
        assert opened is None
        assert self.lines[-1] == (f"No connection: {answer['error']}", "WARN")
        return str(answer["error"])


async def read(opened: socket.socket, count: int) -> bytes:
    """Read so many bytes, less where the connection ends before."""
    data = b""
    async with asyncio.timeout(SECONDS):
        while len(data) < count:
            try:
                more = await asyncio.get_running_loop().sock_recv(opened, count - len(data))
            except ConnectionError:
                break
            if not more:
                break
            data += more
    return data


async def send(opened: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(opened, data)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await listening.wait_closed()


@pytest.fixture
async def child(server: Server) -> AsyncIterator[Child]:
    """A child whose way out must end with its door and leave nothing open."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    made = Child(LOOPBACK, server.port)
    yield made
    made.door.close()
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(made.serving, return_exceptions=True)
        while len(list(Path("/proc/self/fd").iterdir())) > before:  # noqa: ASYNC110 - the server's ends as well
            await asyncio.sleep(0.01)


def test_the_door_does_not_block_the_engine() -> None:
    ours, theirs = open_door()
    with ours, theirs:
        assert (ours.getblocking(), theirs.getblocking()) == (False, True)


def test_the_limits_are_those_that_are_told() -> None:
    assert (egress.MOST_CONNECTIONS, egress.MOST_ATTEMPTS, egress.MOST_BYTES) == (16, 1000, 256 * 1024**2)


async def test_bytes_go_both_ways_and_so_does_the_end(child: Child, server: Server) -> None:
    with await child.connect() as opened:
        await send(opened, b"over ")
        assert await read(opened, 5) == b"over "
        await send(opened, b"and out")
        opened.shutdown(socket.SHUT_WR)
        assert await read(opened, 100) == b"and outbye"
    assert child.lines == [(f"Connected to localhost:{server.port}.", "DEBUG")]
    await server.wait_until_ended(1)


async def test_a_request_is_read_strictly_and_the_next_is_answered(child: Child, server: Server) -> None:
    good = json.dumps({"host": "localhost", "port": server.port})
    more = json.dumps({"host": "localhost", "port": server.port, "more": 1})
    text = json.dumps({"host": "localhost", "port": str(server.port)})
    for message in ("{", "[]", more, text, good.rjust(1025)):
        answer, opened = await child.say(message.encode())
        assert opened is None
        assert answer == {"error": "The code asked for a connection in a way that is not understood."}
    answer, opened = await child.say(good.rjust(1024).encode())
    assert answer == {}
    assert opened is not None
    opened.close()


async def test_what_is_refused_is_told_and_the_next_is_answered(child: Child, server: Server) -> None:
    assert await child.refused("..") == "'..' is not the name of a host."
    closed = "example.org:443 is not among the hosts that are open to this code."
    assert await child.refused("example.org", 443) == closed
    assert "is not among" in await child.refused(port=server.port - 1)
    (await child.connect()).close()


async def test_a_host_whose_address_is_not_allowed_is_refused(server: Server) -> None:
    child = Child(NetworkPolicy(), server.port)
    with child.door:
        assert "is not a public address" in await child.refused()
    await child.serving


async def test_a_host_that_does_not_answer_is_given_up(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    async def dial(*_: Any) -> socket.socket:
        await asyncio.sleep(1000)
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(egress, "_DIAL_SECONDS", 0.05)
        patched.setattr(egress, "dial", dial)
        assert await child.refused() == f"localhost:{child.port} does not answer."
    (await child.connect()).close()


async def test_sixteen_connections_are_open_at_a_time(child: Child, server: Server) -> None:
    opened = [await child.connect() for _ in range(16)]
    assert await child.refused() == "A step has at most 16 connections at a time and 1000 in all."
    opened.pop().close()
    await server.wait_until_ended(1)
    while len(child.egress._sockets) > 30:  # noqa: ASYNC110 - the relay notes it in the next rounds of the loop
        await asyncio.sleep(0)
    opened.append(await child.connect())
    for left in opened:
        left.close()


async def test_a_thousand_attempts_are_answered_and_a_hundred_lines_are_logged(child: Child) -> None:
    for _ in range(999):
        assert "is not among" in (await child.ask("example.org"))[0]["error"]
    (await child.connect()).close()
    assert (await child.ask())[0] == {"error": "A step has at most 16 connections at a time and 1000 in all."}
    assert len(child.lines) == 100


async def test_after_too_many_bytes_the_connection_is_cut_off(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "MOST_BYTES", 15)
    child, waiting = Child(LOOPBACK, server.port), list[str]()

    class Sockets(set[socket.socket]):
        def discard(self, ended: socket.socket) -> None:
            """Note who waits for a socket that is closed: its number may be another's at once."""
            waiting.extend(task.get_name() for task in asyncio.all_tasks())
            super().discard(ended)

    child.egress._sockets = Sockets()
    opened = await child.connect()
    await send(opened, b"12345")
    assert await read(opened, 5) == b"12345"
    assert len(child.lines) == 1
    await send(opened, b"6")
    assert await read(opened, 100) == b""
    assert child.lines[1:] == [("This step has moved more than 0 MiB over the network.", "WARN")]
    await server.wait_until_ended(1)
    assert server.received == b"12345"
    assert child.egress._sockets == set()
    assert waiting
    assert not {"egress in", "egress out"} & set(waiting)
    opened.close()
    child.door.close()
    await child.serving


async def test_with_the_call_all_its_connections_end(child: Child, server: Server) -> None:
    opened = [await child.connect() for _ in range(2)]
    child.serving.cancel()
    assert [await read(left, 1) for left in opened] == [b"", b""]
    await server.wait_until_ended(2)
    for left in opened:
        left.close()


async def test_a_relay_that_never_began_leaves_nothing_open(
    child: Child, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def relay(*_: Any) -> None:
        await asyncio.sleep(1000)

    monkeypatch.setattr(child.egress, "_relay", relay)
    _, opened = await child.ask()
    assert opened is not None
    child.serving.cancel()
    assert await read(opened, 1) == b""
    await server.wait_until_ended(1)
    opened.close()
