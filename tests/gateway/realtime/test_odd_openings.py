"""What opens or takes over a connection, and is none of it: refused, hung up on, and never a mistake of ours."""

from __future__ import annotations

import errno
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
import simple_websocket  # type: ignore[import-untyped]
from websockets.frames import Opcode
from wsproto.utilities import LocalProtocolError

from gateway.settings import Server
from gateway.threads import SOCKET_SECONDS, ThreadServer, WebSocketApp, WholeWire
from gateway.web.front import Front
from gateway.web.hosts import Hosts
from tests.gateway.realtime.test_websocket_edges import POLLING, SOCKET, frame, rest
from tests.gateway.support import WAIT, Gateway
from tests.support.plain_http import NO_TLS
from tests.support.platform import wait_for

on_one_process = pytest.mark.parametrize("live", ["threading", "eventlet"], indirect=True)
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
PLAIN = ("Host: {host}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", KEY)


def opening(gateway: Gateway, target: str, *more: str, without: str = "no such line") -> bytes:
    lines = [line for line in PLAIN if not line.startswith(without)]
    text = "\r\n".join([f"GET {target} HTTP/1.1", *lines, *more, "", ""])
    return text.format(host=gateway.url.rpartition("/")[2]).encode("latin-1")


def wire_to(gateway: Gateway) -> socket.socket:
    host, _, port = gateway.url.rpartition("/")[2].partition(":")
    return socket.create_connection((host, int(port)), timeout=WAIT)


def status(wire: socket.socket) -> int:
    """Read the head of an answer byte by byte, and return its status."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += wire.recv(1) or b"\r\n\r\n"
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", head)
    assert found, head
    return int(found[1])


@pytest.fixture
def quiet(live: Gateway) -> Iterator[Gateway]:
    """A gateway that had no reason to blame itself meanwhile."""
    logs = [live.folder / "log.txt"] if live.workers == 1 else [
        live.folder.parent / name / "log.txt" for name in ("first", "second")
    ]  # fmt: skip
    before = [log.stat().st_size for log in logs]
    yield live
    for log, start in zip(logs, before, strict=True):
        said = log.read_text()[start:]
        assert "Traceback" not in said, said
        assert "Error on request" not in said, said


def test_what_is_no_handshake_is_refused(quiet: Gateway) -> None:
    for without, more, code in (
        ("Sec-WebSocket-Key", (), 400),
        ("Connection", (), 426),
        ("Connection", ("Connection: keep-alive",), 426),
        ("Sec-WebSocket-Version", ("Sec-WebSocket-Version: 8",), 426),
        ("Upgrade", ("Upgrade: websocket, h2c",), 400),
    ):
        with wire_to(quiet) as wire:
            wire.sendall(opening(quiet, SOCKET, *more, without=without))
            assert status(wire) == code, (without, more)


def test_odd_headers_of_a_handshake_are_taken_or_refused(quiet: Gateway) -> None:
    protocol = "Sec-WebSocket-Protocol"
    for more in ("X(Odd): a", "X-Odd: \xff\xe9", "X-Odd:", f"{protocol}: \xff", f"{protocol}: a,,b("):
        with wire_to(quiet) as wire:
            wire.sendall(opening(quiet, SOCKET, more))
            assert status(wire) in {101, 400}, more


def test_a_length_of_thousands_of_digits_is_refused(quiet: Gateway) -> None:
    with httpx.Client(base_url=quiet.url, timeout=WAIT, verify=NO_TLS) as client, wire_to(quiet) as wire:
        target = POLLING
        if quiet.workers == 1:
            target += f"&sid={json.loads(client.get(POLLING).text[1:])['sid']}"
        host = quiet.url.rpartition("/")[2]
        wire.sendall(
            f"POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {'9' * 5000}\r\n\r\n".encode()
        )
        assert status(wire) == 400


PACKETS = [b"", b"x", b"-1", b"b!", "\u0661".encode(), b"4" + b"[" * 3000, b"3" + b"[" * 3000]


def speak_nonsense(gateway: Gateway) -> None:
    """Say each of them on a connection of its own, take leave, and read to the end."""
    for packet in PACKETS:
        with wire_to(gateway) as wire:
            wire.sendall(opening(gateway, SOCKET))
            assert status(wire) == 101
            wire.sendall(frame(Opcode.TEXT, packet) + frame(Opcode.TEXT, b"1"))
            rest(wire)


def test_what_is_no_packet_ends_the_connection_or_means_nothing(quiet: Gateway) -> None:
    speak_nonsense(quiet)


@on_one_process
@pytest.mark.parametrize("before", [b"", frame(Opcode.TEXT, b"2probe")])
def test_a_take_over_by_something_else_leaves_the_connection_to_its_polls(
    quiet: Gateway, before: bytes
) -> None:
    with httpx.Client(base_url=quiet.url, timeout=WAIT, verify=NO_TLS) as client:
        polled = f"{POLLING}&sid={json.loads(client.get(POLLING).text[1:])['sid']}"
        for packet in [*PACKETS, b"2prob", b"6"]:
            with wire_to(quiet) as wire:
                wire.sendall(opening(quiet, polled.replace("polling", "websocket")))
                assert status(wire) == 101
                wire.sendall(before + frame(Opcode.TEXT, packet))
                rest(wire)
            assert client.post(polled, content=b"3").text == "OK"


ENDS: dict[str, Callable[[socket.socket], object]] = {
    "reset": lambda wire: wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)),
    "half": lambda wire: wire.shutdown(socket.SHUT_WR),
    "closed": lambda wire: None,
}


@on_one_process
@pytest.mark.parametrize("how", ENDS)
def test_whoever_goes_away_in_the_middle_is_no_incident(quiet: Gateway, how: str) -> None:
    probe, go_on = frame(Opcode.TEXT, b"2probe"), frame(Opcode.TEXT, b"5")
    with httpx.Client(base_url=quiet.url, timeout=WAIT, verify=NO_TLS) as client:
        for sent in (
            [],
            [probe],
            [probe, go_on],
            [probe + go_on],
            [probe, go_on, frame(Opcode.TEXT, b"40/gui-socket,{}")],
        ):
            for target in (SOCKET, f"{SOCKET}&sid={json.loads(client.get(POLLING).text[1:])['sid']}"):
                with wire_to(quiet) as wire:
                    wire.sendall(opening(quiet, target) + b"".join(sent))
                    ENDS[how](wire)
        body = f"POST {POLLING} HTTP/1.1\r\nHost: {quiet.url.rpartition('/')[2]}\r\nContent-Length: 50\r\n\r\nabc"
        with wire_to(quiet) as wire:
            wire.sendall(body.encode())
            ENDS[how](wire)
        assert client.get(POLLING).status_code == 200


def test_a_handshake_that_was_none_leaves_no_connection(local: Gateway) -> None:
    assert local.app is not None
    sockets = local.app._sockets.eio.sockets
    before = set(sockets)
    with wire_to(local) as wire:
        wire.sendall(opening(local, SOCKET, without="Sec-WebSocket-Key"))
        assert status(wire) == 400
    wait_for(lambda: set(sockets) <= before, "the connection to be forgotten")


def test_nonsense_leaves_no_thread_and_no_connection(local: Gateway) -> None:
    assert local.app is not None
    sockets, before = local.app._sockets.eio.sockets, threading.active_count()
    speak_nonsense(local)
    wait_for(lambda: not sockets and threading.active_count() <= before, "all of it to end", 60)


def test_a_large_message_reaches_a_slow_reader_whole() -> None:
    """The socket has a timeout, so a plain `send` writes what fits and says nothing of the rest."""
    text = "0123456789abcdef" * 2**19

    def handler(ws: WebSocketApp) -> None:
        ws.send(text)
        ws.close()

    server = ThreadServer(WebSocketApp(handler, None), "127.0.0.1", 0)
    server.start()
    gateway = Gateway(f"http://127.0.0.1:{server.port}", folder=None)  # type: ignore[arg-type] # it has none
    try:
        with wire_to(gateway) as wire:
            wire.sendall(opening(gateway, "/"))
            assert status(wire) == 101
            came = rest(wire)
    finally:
        server.stop()
    assert came[:10] == b"\x81\x7f" + struct.pack("!Q", len(text))
    assert came[10 : 10 + len(text)].decode() == text
    assert came[10 + len(text) :] == b"\x88\x02\x03\xe8"


def offer(wire: socket.socket, data: bytes) -> int:
    """Send until nothing more is taken for a while, or all is; return how many bytes were."""
    sent = 0
    wire.settimeout(1)
    with suppress(TimeoutError):
        while sent < len(data):
            sent += wire.send(data[sent : sent + 65_536])
    wire.settimeout(WAIT)
    return sent


@pytest.mark.parametrize("stays", [True, False])
def test_who_sends_faster_than_it_is_served_has_to_wait(stays: bool) -> None:
    text, count, free = "x" * 50_000, 1000, threading.Event()
    taken: list[int] = []
    readers: list[threading.Thread] = []

    def handler(ws: WebSocketApp) -> None:
        readers.append(ws.ws.thread)
        assert free.wait(WAIT)
        while stays and len(taken) < count:
            taken.append(len(ws.wait()))
        if stays:
            ws.close()

    server = ThreadServer(WebSocketApp(handler, None), "127.0.0.1", 0)
    server.start()
    gateway = Gateway(f"http://127.0.0.1:{server.port}", folder=None)  # type: ignore[arg-type] # it has none
    data = frame(Opcode.TEXT, text.encode()) * count
    try:
        with wire_to(gateway) as wire:
            wire.sendall(opening(gateway, "/"))
            assert status(wire) == 101
            sent = offer(wire, data)
            assert sent < len(data) * 0.8, (
                "of 50 MB the system's own buffers hold some, and the server one message"
            )
            free.set()
            if stays:
                wire.sendall(data[sent:])
            with suppress(ConnectionResetError):  # there is more that nobody read
                rest(wire)
        readers[0].join(WAIT)
        assert not readers[0].is_alive()
    finally:
        server.stop()
    assert taken == [len(text)] * (count if stays else 0)


def test_texts_of_two_threads_are_not_mixed() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(SOCKET_SECONDS)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        wire, size = WholeWire(ours), 200_000
        writers = [threading.Thread(target=wire.send, args=(sign * size,)) for sign in (b"a", b"b")]
        for writer in writers:
            writer.start()
        came = b""
        while len(came) < 2 * size:
            came += theirs.recv(65_536)
        for writer in writers:
            writer.join(WAIT)
        assert wire.gettimeout() == SOCKET_SECONDS
    assert came in {b"a" * size + b"b" * size, b"b" * size + b"a" * size}


@pytest.mark.parametrize("error", [LocalProtocolError("closed"), simple_websocket.ConnectionClosed()])
def test_a_websocket_that_is_being_closed_is_an_end_like_others(error: Exception) -> None:
    class Closed:
        connected = True
        sock = socket.socket()

        def send(self, message: str) -> None:
            raise error

        def receive(self, timeout: float) -> None:
            raise simple_websocket.ConnectionClosed

        def close(self) -> None:
            raise error

    made = WebSocketApp(lambda _: None, None)
    made.ws = Closed()
    with pytest.raises(OSError):
        made.send("x")
    assert made.wait_for(1) is None
    made.close()
    made.finish()
    Closed.sock.close()
    made.finish()


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ConnectionResetError(), ConnectionResetError),
        (BrokenPipeError(), BrokenPipeError),
        (TimeoutError(), TimeoutError),
        (StopIteration(), StopIteration),
        (OSError("Socket has been upgraded already"), ConnectionResetError),
        (OSError(errno.EBADF, "Bad file descriptor"), ConnectionResetError),
        (OSError(), ConnectionResetError),
    ],
)
def test_the_servers_hear_of_each_end_in_a_way_that_they_know(
    raised: Exception, told: type[Exception]
) -> None:
    class Ended:
        def handle_request(self, _environ: dict[str, Any], _start: Any) -> Any:
            raise raised

    front = Front(Ended(), lambda *_: [], Hosts(Server()), lambda _: None)
    with pytest.raises(told) as caught:
        front({"PATH_INFO": "/socket.io/"}, lambda *_: None)
    assert type(caught.value) is told
    if told is ConnectionResetError and raised is not caught.value:
        assert caught.value.errno == errno.ECONNRESET, "the quiet one, for gunicorn"
