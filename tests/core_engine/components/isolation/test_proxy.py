"""Programs reach the hosts that were opened to them, through their proxy, and nothing else of the network."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.isolation import proxy, rungs
from core_engine.components.isolation.hosts import Hosts
from core_engine.components.isolation.proxy import Request
from core_engine.components.isolation.rungs import Openings, Rung, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.network import NetworkPolicy
from tests.support.tcp import serving

LOOPBACK = NetworkPolicy(["127.0.0.0/8", "::1/128"])
PYTHON = Path("/usr/bin/python3")
needs_bubblewrap = pytest.mark.skipif(
    not rungs.works(Rung.BUBBLEWRAP), reason="bubblewrap does not work here: programs are refused without it"
)
needs_python = pytest.mark.skipif(
    not PYTHON.exists(), reason="there is no /usr/bin/python3 to try sockets with"
)

GET = """
import sys, urllib.error, urllib.request
try: print(urllib.request.urlopen(sys.argv[1], timeout=20).read().decode())
except urllib.error.HTTPError as error: print(error.code, error.read().decode().strip())
"""
TUNNEL = """
import socket, sys
made = socket.create_connection(("127.0.0.1", 3128), 20)
made.sendall(f"CONNECT {sys.argv[1]} HTTP/1.1\\r\\n\\r\\n".encode())
said = made.recv(4096)
if said.startswith(b"HTTP/1.1 200"):
    made.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    while data := made.recv(4096): said += data
print(said.decode())
"""
ATTEMPTS = """
import ctypes, socket, struct, sys
port = int(sys.argv[1])
def attempt(name, call):
    try: call()
    except OSError: return
    print("reached:", name)
def dial(family, place):
    with socket.socket(family) as made:
        made.settimeout(5)
        made.connect(place)
def abstract():
    one, _ = socket.socketpair()
    one.connect("\\0flowork-test-" + str(port))
def serve():
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
attempt("the server itself", lambda: dial(socket.AF_INET, ("127.0.0.1", port)))
attempt("by IPv6", lambda: dial(socket.AF_INET6, ("::1", port)))
attempt("an address outside", lambda: dial(socket.AF_INET, ("192.0.2.1", 80)))
attempt("DNS over TCP", lambda: dial(socket.AF_INET, ("127.0.0.53", 53)))
attempt("a resolved name", lambda: socket.getaddrinfo("example.org", 443))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("udp 6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("unix", lambda: socket.socket(socket.AF_UNIX))
attempt("netlink", lambda: socket.socket(16, socket.SOCK_RAW))
attempt("packet", lambda: socket.socket(17, socket.SOCK_DGRAM))
attempt("vsock", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("multipath tcp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262))
attempt("sctp", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132))
attempt("abstract unix", abstract)
attempt("a server", serve)
attempt("the door", lambda: [socket.socket(fileno=n).send(b"{}") for n in range(3, 64)])
dial(socket.AF_INET, ("127.0.0.1", 3128))
print("tried")
"""


@pytest.fixture
async def server() -> AsyncIterator[int]:
    """The port of an HTTP server on loopback that says hello and the first line it got."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = (await reader.readline()).strip()
        while (await reader.readline()).strip():
            pass
        writer.write(b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello " + line)
        await writer.drain()
        writer.close()

    async with serving(answer) as port:
        yield port


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(most=Bounds(60, 512), rung=Rung.BUBBLEWRAP, network=LOOPBACK, warm=False)
    yield made
    await made.close()


async def run(
    sandbox: Sandbox, argv: list[str], hosts: list[str], log: list[str] | None = None, memory_mb: int = 256
) -> dict[str, Any]:
    environment = proxy.environment() if hosts else {}
    request = {"argv": argv, "folder": "/tmp", "stdin": "", "environment": environment, "max_bytes": 50_000}
    lines = [] if log is None else log
    bounds = Bounds(50, memory_mb)
    openings = Openings(hosts=Hosts.read(hosts))
    return await sandbox.call(
        Task.PROGRAM, request, bounds, lambda text, level: lines.append(f"{level}: {text}"), openings
    )


async def python(sandbox: Sandbox, code: str, hosts: list[str], *words: str) -> str:
    done = await run(sandbox, [str(PYTHON), "-I", "-c", code, *words], hosts)
    assert done["exit_code"] == 0, done
    return str(done["stdout"]).strip()


@needs_bubblewrap
@needs_python
async def test_an_opened_host_is_reached_in_both_ways_and_others_are_not(
    sandbox: Sandbox, server: int
) -> None:
    hosts = [f"localhost:{server}"]
    assert (
        await python(sandbox, GET, hosts, f"http://localhost:{server}/a?b=c") == "hello GET /a?b=c HTTP/1.1"
    )
    assert (await python(sandbox, TUNNEL, hosts, f"localhost:{server}")).endswith("hello GET / HTTP/1.0")
    for place in (f"127.0.0.1:{server}", "localhost:1", "169.254.169.254:80", "example.org:53"):
        said = await python(sandbox, GET, hosts, f"http://{place}/")
        assert said == f"403 {place} is not among the hosts that are open to this code."
        assert (await python(sandbox, TUNNEL, hosts, place)).startswith("HTTP/1.1 403 ")
    assert (await python(sandbox, TUNNEL, hosts, "nonsense")).startswith("HTTP/1.1 400 ")


@needs_bubblewrap
async def test_an_opened_host_at_a_private_address_is_refused(server: int) -> None:
    strict = Sandbox(most=Bounds(60, 512), rung=Rung.BUBBLEWRAP, warm=False)
    log: list[str] = []
    try:
        await run(strict, ["curl", "-s", f"http://localhost:{server}/"], [f"localhost:{server}"], log)
    finally:
        await strict.close()
    assert any("is not a public address" in line for line in log)


@needs_bubblewrap
@pytest.mark.parametrize("program", [["curl", "-sS"], ["wget", "-q", "-O", "-"]])
async def test_usual_programs_find_the_proxy_by_themselves(
    sandbox: Sandbox, server: int, program: list[str]
) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed: nobody tries whether it finds the proxy")
    log: list[str] = []
    place = f"http://localhost:{server}/x"
    done = await run(sandbox, [*program, place], [f"localhost:{server}"], log)
    assert done["stdout"].startswith("hello GET /x"), done
    assert f"DEBUG: Connected to localhost:{server}." in log


@needs_bubblewrap
@needs_python
async def test_nothing_is_reached_beside_the_proxy(sandbox: Sandbox, server: int) -> None:
    with socket.socket(socket.AF_UNIX) as neighbour:
        neighbour.bind(f"\0flowork-test-{server}")
        neighbour.listen()
        assert await python(sandbox, ATTEMPTS, [f"localhost:{server}"], str(server)) == "tried"


@needs_bubblewrap
async def test_a_small_program_does_not_pay_for_its_proxy(sandbox: Sandbox) -> None:
    done = await run(sandbox, ["sleep", "0.5"], ["localhost"], memory_mb=16)
    assert done["exit_code"] == 0


@needs_bubblewrap
@needs_python
async def test_without_hosts_there_is_no_proxy_and_no_socket(sandbox: Sandbox, server: int) -> None:
    done = await run(sandbox, [str(PYTHON), "-I", "-c", TUNNEL, f"localhost:{server}"], [])
    assert done["exit_code"] != 0
    assert "PermissionError" in done["stderr"]


@needs_bubblewrap
@needs_python
async def test_many_connections_and_broken_requests_do_not_end_the_proxy(
    sandbox: Sandbox, server: int
) -> None:
    code = (
        """
import socket, sys
for text in (b"", b"x", b"\\xff\\r\\n\\r\\n", b"GET / HTTP/1.1\\r\\n\\r\\n", b"CONNECT a:9999999 HTTP/1.1\\r\\n\\r\\n"):
    for _ in range(10):
        made = socket.create_connection(("127.0.0.1", 3128), 20)
        made.sendall(text)
        made.close()
"""
        + TUNNEL
    )
    said = await python(sandbox, code, [f"localhost:{server}"], f"localhost:{server}")
    assert said.endswith("hello GET / HTTP/1.0")


def test_requests_are_rewritten_for_the_server_they_go_to() -> None:
    head = (
        b"GET http://u:p@Example.org:81?q=1#f HTTP/1.1\r\nHost: Example.org:81\r\nproxy-authorization: x\r\n"
        b"Connection: keep-alive\r\nA: b"
    )
    with pytest.raises(ValueError, match="not an http"):
        Request.read(head)  # a fragment is never sent
    read = Request.read(head.replace(b"#f", b""))
    assert read == Request(
        "Example.org", 81, b"GET /?q=1 HTTP/1.1\r\nHost: Example.org:81\r\nA: b\r\nConnection: close\r\n\r\n"
    )
    assert Request.read(b"CONNECT a.org:443 HTTP/1.1") == Request("a.org", 443, b"")
    for nonsense in (
        b"",
        b"GET /",
        b"CONNECT a HTTP/1.1",
        b"GET ftp://a/ HTTP/1.1",
        b"GET http:/// HTTP/1.1",
    ):
        with pytest.raises(ValueError, match=r"."):
            Request.read(nonsense)
