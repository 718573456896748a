"""The child's end of its way out: made-up addresses, questions to the engine, and ordinary network code on top."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.isolation.door import Door

ROOT = Path(__file__).parents[4]
INSTALLED = """
import asyncio, os, socket, sys, threading
from socket import AF_INET, AF_INET6, AF_UNIX, IPPROTO_IP, IPPROTO_TCP, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET

sys.path.insert(0, sys.argv[2])
tcp = socket.socket(AF_INET, SOCK_STREAM).detach()
from core_engine.components.isolation import door
door.install(int(sys.argv[1]))

def error(kind, call, *given, **more):
    try:
        call(*given, **more)
    except kind as raised:
        return raised.errno
    raise AssertionError(f"{call} {given} {more}")

def found(*given, **more):
    ((*kind, place),) = socket.getaddrinfo(*given, **more)
    assert kind == [AF_INET, SOCK_STREAM, IPPROTO_TCP, ""], kind
    return place

assert found("a.org", 80) == ("240.0.0.1", 80)
assert found(b"b.org", b"http", AF_INET, SOCK_STREAM | socket.SOCK_NONBLOCK) == ("240.0.0.2", 80)
assert found("b.org", "https", type=SOCK_STREAM) == ("240.0.0.2", 443)
assert found(None, None) == ("127.0.0.1", 0)
assert found("", "8080") == ("127.0.0.1", 8080)
for given, more in ((("a.org", 80, AF_INET6), {}), (("a.org", 80, 1), {}), (("a.org", 80, -1), {}),
                    (("a.org", 80, 0, SOCK_DGRAM), {}), (("a.org", 80), {"type": -1})):
    assert error(socket.gaierror, socket.getaddrinfo, *given, **more) == socket.EAI_NONAME
assert socket.gethostbyname("b.org") == "240.0.0.2"

async def look_up():
    seen = await asyncio.get_running_loop().getaddrinfo("a.org", 80, type=SOCK_STREAM)
    return seen[0][4], threading.active_count()

assert asyncio.run(look_up()) == (("240.0.0.1", 80), 1)

opened = socket.socket()
assert (opened.family, opened.type, opened.proto, opened.getblocking()) == (AF_INET, SOCK_STREAM, IPPROTO_TCP, True)
assert error(OSError, opened.getpeername)
opened.connect(("240.0.0.1", 80))
opened.sendall(b"first")
assert opened.getpeername() == ("240.0.0.1", 80)
opened.setsockopt(IPPROTO_TCP, socket.TCP_NODELAY, 1)
small = opened.getsockopt(SOL_SOCKET, socket.SO_SNDBUF)
opened.setsockopt(SOL_SOCKET, socket.SO_SNDBUF, 5000)
assert opened.getsockopt(SOL_SOCKET, socket.SO_SNDBUF) not in (small, 0)

later = socket.socket(AF_INET, SOCK_STREAM | socket.SOCK_NONBLOCK)
assert not later.getblocking()
assert later.connect_ex(("240.0.0.2", 81)) == 0
later.send(b"second")
assert later.getpeername() == ("240.0.0.2", 81)
assert socket.socket(type=SOCK_STREAM | socket.SOCK_CLOEXEC).getblocking()
assert socket.socket(AF_INET).connect_ex(("c.org", 82)) == 13

listening = socket.socket(AF_UNIX, SOCK_STREAM)
listening.bind(sys.argv[3])
listening.listen()
plain = socket.socket(AF_UNIX)
plain.connect(sys.argv[3])
assert (plain.family, plain.type, plain.getpeername()) == (AF_UNIX, SOCK_STREAM, sys.argv[3])
taken = socket.socket(fileno=tcp)
assert (taken.family, taken.proto) == (AF_INET, IPPROTO_TCP)
datagrams = socket.socket(AF_INET, SOCK_DGRAM)
assert datagrams.type == SOCK_DGRAM
datagrams.setsockopt(IPPROTO_IP, socket.IP_TTL, 5)
assert datagrams.getsockopt(IPPROTO_IP, socket.IP_TTL) == 5
print("done")
"""


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The engine's end of a door, and the child's."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        ours.settimeout(30)
        yield ours, theirs


@pytest.fixture
def engine(ends: tuple[socket.socket, socket.socket]) -> socket.socket:
    return ends[0]


@pytest.fixture
def door(ends: tuple[socket.socket, socket.socket]) -> Iterator[Door]:
    made = Door(ends[1].detach())
    yield made
    made._asking.close()


def give(engine: socket.socket, count: int = 1) -> socket.socket:
    """Answer the next question with a connection (and more descriptors); return its other end."""
    outside, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(engine, [b"{}"], [theirs.fileno()] * count)
    return outside


def made(door: Door) -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=door.make())


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def refusal(door: Door, place: tuple[Any, Any] = ("a.org", 80)) -> tuple[Any, ...]:
    with made(door) as opened:
        with pytest.raises(PermissionError) as caught:
            door.connect(opened, place)
        return caught.value.errno, caught.value.strerror, caught.value.filename


def test_a_name_gets_an_address_and_keeps_it(door: Door) -> None:
    assert [door.address_of(host) for host in ("10.1.2.3", "a.org", "b.org", "a.org")] == [
        "10.1.2.3", "240.0.0.1", "240.0.0.2", "240.0.0.1"
    ]  # fmt: skip
    door._names += [f"{number}.org" for number in range(9997)]
    assert door.address_of("last.org") == "240.0.39.16"
    with pytest.raises(socket.gaierror) as caught:
        door.address_of("more.org")
    assert caught.value.errno == socket.EAI_MEMORY
    assert door.address_of("a.org") == "240.0.0.1"


def test_a_socket_leads_nowhere_until_it_is_connected(door: Door, engine: socket.socket) -> None:
    with made(door) as opened, socket.socket() as other, socket.socket(fileno=door.make()) as local:
        assert (door.is_ours(opened), door.is_ours(other), door.is_ours(local)) == (True, False, False)
        assert opened.recv(1) == b""
        with pytest.raises(OSError, match="not connected") as caught:
            door.peer_of(opened)
        assert caught.value.errno == errno.ENOTCONN
        opened.settimeout(20)
        door.address_of("a.org")
        before = descriptors()
        with give(engine, 2) as outside:
            door.connect(opened, ("240.0.0.1", "80"))
            assert descriptors() == before + 1
            assert json.loads(engine.recv(4096)) == {"host": "a.org", "port": 80}
            assert door.peer_of(opened) == ("240.0.0.1", 80)
            assert (opened.gettimeout(), os.get_blocking(opened.fileno())) == (20, False)
            assert not os.get_inheritable(opened.fileno())
            opened.sendall(b"hello")
            assert outside.recv(10) == b"hello"


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("240.0.0.1", "a.org"), ("240.0.0.2", "b.org"), ("240.0.0.3", "240.0.0.3"), ("240.0.0.0", "240.0.0.0"),
        ("10.0.0.1", "10.0.0.1"), ("c.org", "c.org"), ("bücher.example", "xn--bcher-kva.example"),
        ("under_score.org", "under_score.org"), ("a" * 70, "a" * 70),
    ],
)  # fmt: skip
def test_the_engine_is_asked_for_the_name_itself(
    door: Door, engine: socket.socket, host: str, asked: str
) -> None:
    for name in ("a.org", "b.org"):
        door.address_of(name)
    with made(door) as opened, give(engine):
        door.connect(opened, (host, 80))
    assert json.loads(engine.recv(4096)) == {"host": asked, "port": 80}


def test_what_the_engine_refuses_says_why(door: Door, engine: socket.socket) -> None:
    engine.send(b'{"error": "not today"}')
    assert refusal(door) == (errno.EACCES, "not today", "a.org:80")
    engine.send(b"{}")
    assert refusal(door) == (errno.EACCES, "no connection", "a.org:80")
    text = "x" * (4096 - len('{"error": ""}'))
    engine.send(json.dumps({"error": text}).encode())
    assert refusal(door) == (errno.EACCES, text, "a.org:80")
    engine.send(json.dumps({"error": f"{text}x"}).encode())
    with made(door) as opened, pytest.raises(json.JSONDecodeError):
        door.connect(opened, ("a.org", 80))
    engine.shutdown(socket.SHUT_WR)
    assert refusal(door) == (errno.EACCES, "The engine has gone.", "a.org:80")


def test_ordinary_network_code_goes_through_it(
    ends: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    engine, theirs = ends
    with give(engine) as first, give(engine) as second:
        engine.send(b'{"error": "not today"}')
        command = [sys.executable, "-I", "-S", "-B", "-c", INSTALLED]
        done = subprocess.run(
            [*command, str(theirs.fileno()), str(ROOT), str(tmp_path / "socket")],
            capture_output=True, text=True, timeout=60, check=False, pass_fds=(theirs.fileno(),),
        )  # fmt: skip
        assert done.stdout == "done\n", done.stderr
        asked = [json.loads(engine.recv(4096)) for _ in range(3)]
        assert asked == [
            {"host": "a.org", "port": 80}, {"host": "b.org", "port": 81}, {"host": "c.org", "port": 82}
        ]  # fmt: skip
        assert (first.recv(10), second.recv(10)) == (b"first", b"second")
