"""Code of others reaches the hosts that were opened to it, through the engine, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvloop

from core_engine.components.isolation import egress, rungs
from core_engine.components.isolation.hosts import Hosts
from core_engine.components.isolation.rungs import Openings, Rung, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.network import NetworkPolicy
from shared.errors import FloworkError
from tests.support.tcp import serving

RUNGS = [rung for rung in (Rung.BUBBLEWRAP, Rung.LANDLOCK) if rungs.works(rung)]
LOOPBACK = NetworkPolicy(["127.0.0.0/8", "::1/128"])
GET = "import urllib.request\nresult = urllib.request.urlopen(args['url'], timeout=10).read().decode()"
ATTEMPT = """
def attempt(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "reached"
"""


@pytest.fixture
async def server() -> AsyncIterator[int]:
    """The port of an HTTP server on loopback that says hello."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.readline():
                writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
                await writer.drain()
        finally:
            writer.close()

    async with serving(answer) as port:
        yield port


@pytest.fixture(params=RUNGS)
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    made = Sandbox(most=Bounds(30, 512), rung=request.param, network=LOOPBACK, warm=False)
    yield made
    await made.close()


async def run(
    sandbox: Sandbox, code: str, hosts: list[str], log: list[str] | None = None, **args: Any
) -> Any:
    request = {"code": code, "payload": {"data": None, "history": []}, "args": args}
    openings = Openings(hosts=Hosts.read(hosts))
    lines = [] if log is None else log
    return await sandbox.call(
        Task.FUNCTION,
        request,
        Bounds(30, 256),
        lambda text, level: lines.append(f"{level}: {text}"),
        openings,
    )


async def test_an_opened_host_is_reached_and_the_log_says_so(sandbox: Sandbox, server: int) -> None:
    log: list[str] = []
    assert await run(sandbox, GET, [f"localhost:{server}"], log, url=f"http://localhost:{server}/") == "hello"
    assert f"DEBUG: Connected to localhost:{server}." in log
    assert await run(sandbox, GET, [f"127.0.0.1:{server}"], url=f"http://127.0.0.1:{server}/") == "hello"


@pytest.mark.parametrize("rung", RUNGS)
def test_it_works_on_the_engines_own_event_loop(rung: Rung) -> None:
    async def work() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        sandbox = Sandbox(most=Bounds(30, 512), rung=rung, network=LOOPBACK)
        try:
            assert await run(sandbox, GET, [f"localhost:{port}"], url=f"http://localhost:{port}/") == "hello"
        finally:
            await sandbox.close()
            server.close()
            await server.wait_closed()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work())


async def test_asyncio_reaches_it_too(sandbox: Sandbox, server: int) -> None:
    code = """
import asyncio
async def run(payload, log, args):
    reader, writer = await asyncio.open_connection("localhost", args["port"])
    peer = writer.get_extra_info("peername")
    writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
    text = (await reader.read()).decode()
    writer.close()
    return [text[-5:], peer[1]]
"""
    assert await run(sandbox, code, [f"localhost:{server}"], port=server) == ["hello", server]


async def test_what_is_not_opened_is_refused_by_name_port_and_address(sandbox: Sandbox, server: int) -> None:
    code = (
        ATTEMPT
        + """
import socket
def dial(host, port):
    return attempt(lambda: socket.create_connection((host, port), 5).close())
port = args["port"]
result = {
    "other port": dial("localhost", port + 1 if port < 65535 else 1),
    "by address": dial("127.0.0.1", port),
    "address as a number": dial("2130706433", port),
    "subdomain": dial("localhost.example.org", port),
    "metadata": dial("169.254.169.254", 80),
    "header in the name": dial("localhost\\r\\nX: y", port),
    "opened": dial("LOCALHOST.", port),
}
"""
    )
    seen = await run(sandbox, code, [f"localhost:{server}"], port=server)
    assert seen.pop("opened") == "reached"
    assert {name: text.partition(":")[0] for name, text in seen.items()} == dict.fromkeys(
        seen, "PermissionError"
    )
    assert "is not among the hosts that are open" in seen["metadata"]


async def test_without_hosts_there_is_no_way_out(sandbox: Sandbox, server: int) -> None:
    with pytest.raises(FloworkError, match="Error"):
        await run(sandbox, GET, [], url=f"http://localhost:{server}/")


async def test_an_opened_host_at_a_private_address_is_refused(server: int) -> None:
    made = Sandbox(most=Bounds(30, 512))
    log: list[str] = []
    try:
        with pytest.raises(FloworkError):
            await run(made, GET, [f"localhost:{server}"], log, url=f"http://localhost:{server}/")
    finally:
        await made.close()
    assert any("is not a public address" in line for line in log)


async def test_real_sockets_stay_impossible_beside_the_door(sandbox: Sandbox, server: int) -> None:
    """The library's comfort is taken away, then every other way to the network is tried."""
    code = (
        ATTEMPT
        + """
import _socket, ctypes, struct, socket
port = args["port"]
libc = ctypes.CDLL(None, use_errno=True)
def raw(family, kind):
    made = libc.socket(family, kind, 0)
    if made < 0:
        raise PermissionError(ctypes.get_errno())
def reconnect():
    made = socket.create_connection(("localhost", port), 5)
    address = struct.pack("=H", 2) + struct.pack(">H4B8x", port, 127, 0, 0, 1)
    if libc.connect(made.fileno(), address, len(address)) != 0:
        raise PermissionError(ctypes.get_errno())
def fast_open():
    made = socket.create_connection(("localhost", port), 5)
    _socket.socket.sendto(made, b"x", 0x20000000, ("127.0.0.1", port))
def name_it():
    _socket.socket.bind(socket.socket(), ("127.0.0.1", 0))
result = {
    "tcp": attempt(lambda: raw(2, 1)), "udp": attempt(lambda: raw(2, 2)), "unix": attempt(lambda: raw(1, 1)),
    "raw": attempt(lambda: raw(2, 3)), "netlink": attempt(lambda: raw(16, 3)), "vsock": attempt(lambda: raw(40, 1)),
    "ipv6": attempt(lambda: raw(10, 1)), "class": attempt(lambda: _socket.socket(2, 1)),
    "reconnect": attempt(reconnect), "fast open": attempt(fast_open), "bind": attempt(name_it),
    "server": attempt(lambda: socket.create_server(("127.0.0.1", 0))),
}
"""
    )
    seen = await run(sandbox, code, [f"localhost:{server}"], port=server)
    assert "reached" not in seen.values(), seen


async def test_nonsense_at_the_door_harms_nobody(sandbox: Sandbox, server: int) -> None:
    code = """
import os, socket, stat
door = next(n for n in range(3, 64) if attempt(lambda: os.fstat(n)) == "reached"
            and stat.S_ISSOCK(os.fstat(n).st_mode) and socket.socket(fileno=os.dup(n)).type == socket.SOCK_SEQPACKET)
asking = socket.socket(fileno=os.dup(door))
result = []
for message in (b"{", b"[]", b"x" * 5000, b'{"host":1,"port":1}', b'{"host":"a","port":80,"more":1}', b"[" * 900,
                b'{"host":"localhost","port":99999}', b'{"host":"\\\\u0000","port":1}', b'{"host":"..","port":80}'):
    asking.send(message)
    result.append(b"error" in asking.recv(4096))
socket.send_fds(asking, [b"{}"], [0, 1, 2])
result.append(b"error" in asking.recv(4096))
"""
    assert await run(sandbox, ATTEMPT + code, [f"localhost:{server}"]) == [True] * 10


async def test_connections_and_bytes_are_limited(
    sandbox: Sandbox, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = (
        ATTEMPT
        + """
import socket
kept = []
result = [attempt(lambda: kept.append(socket.create_connection(("localhost", args["port"]), 5))) for _ in range(20)]
"""
    )
    seen = await run(sandbox, many, [f"localhost:{server}"], port=server)
    assert seen.count("reached") == egress.MOST_CONNECTIONS
    monkeypatch.setattr(egress, "MOST_BYTES", 100)
    flood = """
import socket
made = socket.create_connection(("localhost", args["port"]), 5)
try:
    for _ in range(1000):
        made.sendall(b"x" * 100_000)
except OSError:
    result = "cut off"
"""
    assert await run(sandbox, flood, [f"localhost:{server}"], port=server) == "cut off"


async def test_many_refusals_do_not_flood_the_log(sandbox: Sandbox) -> None:
    code = """
import socket
for _ in range(300):
    try: socket.create_connection(("example.org", 443), 1)
    except OSError: pass
result = "done"
"""
    log: list[str] = []
    assert await run(sandbox, code, ["localhost"], log) == "done"
    assert len([line for line in log if "No connection" in line]) == 100


def test_entries_say_which_connections_are_meant() -> None:
    hosts = Hosts.read(["example.org", "*.example.net", "db.example.com:5432", "10.0.0.1:80"])
    meant = [("example.org", 443), ("example.org", 80), ("a.example.net", 443), ("a.b.example.net", 80),
             ("db.example.com", 5432), ("10.0.0.1", 80)]  # fmt: skip
    other = [("example.org", 22), ("www.example.org", 443), ("example.net", 443), ("badexample.net", 443),
             ("db.example.com", 443), ("10.0.0.1", 443), ("evil-example.org", 443)]  # fmt: skip
    assert [hosts.cover(*place) for place in meant] == [True] * len(meant)
    assert [hosts.cover(*place) for place in other] == [False] * len(other)
    assert not Hosts().cover("example.org", 443)


@pytest.mark.parametrize(
    "text", ["", "*", "*.", "Example.org", "a b", "a:0", "a:99999", "http://a", "a/b", "::1", "a.*"]
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"host|port"):
        Hosts.read([text])


def test_the_protocol_of_the_door_is_strict() -> None:
    with pytest.raises(egress.RefusedError):
        egress._read(json.dumps({"host": "a", "port": "80"}).encode())
