"""What a hostile or broken client can do to a WebSocket on green threads, and that it harms nobody else."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from tests.gateway.support import WAIT, Gateway
from tests.support.plain_http import NO_TLS
from tests.support.script import python

POLLING = "/api/socket.io/?EIO=4&transport=polling"
SOCKET = "/api/socket.io/?EIO=4&transport=websocket"
eventlet = pytest.mark.parametrize("live", ["eventlet"], indirect=True)


@contextmanager
def opened(gateway: Gateway, target: str = SOCKET) -> Iterator[socket.socket]:
    """Open a WebSocket of which each byte is ours, and read the answer to its request."""
    host, _, port = gateway.url.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=WAIT) as wire:
        lines = [
            f"GET {target} HTTP/1.1",
            f"Host: {host}:{port}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ]
        wire.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += wire.recv(1)
        assert answer.startswith(b"HTTP/1.1 101 ")
        yield wire


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """Return a frame as clients send it, with a mask that changes nothing."""
    head = bytearray(Frame(opcode, data, fin=fin).serialize(mask=False)[: -len(data) or None])
    head[1] |= 0x80
    return bytes(head) + bytes(4) + data


def rest(wire: socket.socket) -> bytes:
    """Return everything up to the end."""
    came = b""
    while data := wire.recv(65536):
        came += data
    return came


@eventlet
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(Opcode.TEXT, b"4\xff"), 1007),
        (frame(Opcode.TEXT, b"4", fin=False) + frame(Opcode.CONT, b"\xff"), 1007),
        (frame(Opcode.TEXT, b"x" * 70_000 + b"\xff"), 1007),
        (frame(Opcode.CONT, b"4"), 1002),
        (frame(Opcode.TEXT, b"4", fin=False) + frame(Opcode.TEXT, b"4"), 1002),
        (b"\x09\x81" + bytes(4) + b"p", 1002),
        (b"\x89\xfe\x00\x7e" + bytes(4 + 126), 1002),
        (Frame(Opcode.TEXT, b"3").serialize(mask=False), 1002),
        (b"\xc1\x81" + bytes(4) + b"3", 1002),
        (b"\x83\x81" + bytes(4) + b"3", 1002),
        (b"\x81\xff" + (1 << 63).to_bytes(8, "big") + bytes(4), 1009),
        (frame(Opcode.CLOSE, (1000).to_bytes(2, "big")), 1000),
        (frame(Opcode.CLOSE, b"\x03"), 1002),
    ],
)
def test_a_broken_frame_ends_the_connection_with_its_reason(live: Gateway, sent: bytes, code: int) -> None:
    with opened(live) as wire:
        wire.sendall(sent)
        assert b"\x88" in (came := rest(wire))
        assert came[came.rindex(b"\x88") + 2 :][:2] == code.to_bytes(2, "big")


@eventlet
def test_control_frames_between_fragments_are_answered_at_once(live: Gateway) -> None:
    with opened(live) as wire:
        wire.sendall(frame(Opcode.TEXT, b"40/now", fin=False) + frame(Opcode.PING, b"there?"))
        came = b""
        while b"\x8a\x06there?" not in came:
            came += wire.recv(1000)
        wire.sendall(frame(Opcode.CONT, b"here,", fin=False) + frame(Opcode.CONT, b"{}"))
        assert b"44/nowhere," in rest(wire)


@eventlet
def test_every_ping_of_a_reader_that_keeps_up_is_answered(live: Gateway) -> None:
    pings = [b"%d" % number for number in range(100)]
    with opened(live) as wire:
        wire.sendall(b"".join(frame(Opcode.PING, ping) for ping in pings) + frame(Opcode.CLOSE, b""))
        came = rest(wire)
    assert all(bytes((0x8A, len(ping))) + ping in came for ping in pings)


@eventlet
def test_a_message_of_very_many_pieces_holds_up_nobody(live: Gateway) -> None:
    pieces = frame(Opcode.CONT, b"", fin=False) * 200_000 + frame(Opcode.CONT, b"x", fin=False) * 60_000
    with opened(live) as wire:
        wire.sendall(frame(Opcode.TEXT, b"40/nowhere,", fin=False) + pieces)
        with connect(live.url.replace("http", "ws") + SOCKET, open_timeout=WAIT, proxy=None) as other:
            assert str(other.recv(WAIT)).startswith("0{")
        wire.sendall(frame(Opcode.CONT, b""))
        rest(wire)


@eventlet
def test_a_failed_upgrade_may_be_tried_again(live: Gateway) -> None:
    with httpx.Client(base_url=live.url, timeout=WAIT, verify=NO_TLS) as client:
        sid = json.loads(client.get(POLLING).text[1:])["sid"]
        for words in (b"2wrong", b"4\xff"):
            with opened(live, f"{SOCKET}&sid={sid}") as wire:
                wire.sendall(frame(Opcode.TEXT, words))
                assert rest(wire)[:1] == b"\x88"
        with opened(live, f"{SOCKET}&sid={sid}") as wire:
            wire.sendall(frame(Opcode.TEXT, b"2probe") + frame(Opcode.TEXT, b"5"))
            wire.sendall(frame(Opcode.TEXT, b"40/nowhere,{}"))
            assert b"44/nowhere," in rest(wire)


@eventlet
def test_one_connection_is_taken_over_by_one_websocket(live: Gateway) -> None:
    with httpx.Client(base_url=live.url, timeout=WAIT, verify=NO_TLS) as client:
        sid = json.loads(client.get(POLLING).text[1:])["sid"]
        target = f"{SOCKET}&sid={sid}"
        with opened(live, target) as first:
            first.sendall(frame(Opcode.TEXT, b"2probe"))
            assert first.recv(100) == b"\x81\x063probe"
            with opened(live, target) as second:
                second.sendall(frame(Opcode.TEXT, b"2probe") + frame(Opcode.TEXT, b"5"))
                assert rest(second)[:1] == b"\x88"
            first.sendall(frame(Opcode.TEXT, b"5") + frame(Opcode.TEXT, b"40/nowhere,{}"))
            assert b"44/nowhere," in rest(first)


def test_a_packet_behind_the_end_is_remembered_for_nobody(local: Gateway) -> None:
    assert local.app is not None
    manager = local.app._sockets.manager
    with httpx.Client(base_url=local.url, timeout=WAIT, verify=NO_TLS) as client:
        before = {name: len(sids) for name, sids in manager.pending_connect.items()}
        target = f"{POLLING}&sid={json.loads(client.get(POLLING).text[1:])['sid']}"
        packets = [b"4nonsense", b"40/gui-socket,{}", b"40/engine-socket,{}"]
        client.post(target, content=b"\x1e".join(packets))
    assert {name: len(sids) for name, sids in manager.pending_connect.items()} == before


def test_an_upgrade_that_does_not_go_on_is_given_up() -> None:
    script = """
from gateway import green
green.patch()
import http.client, json, socket
from gateway.realtime.engine_io import EngineIo
eio = EngineIo(async_mode="eventlet", ping_interval=600, ping_timeout=0.2)
eio._async = {**eio._async, **green.parts(1000)}
eio.on("connect", lambda sid, environ: None)
server = green.GreenServer(eio.handle_request, "127.0.0.1", 0)
server.start()
ends = []
for words in (b"", b"\\x81\\x86\\0\\0\\0\\x002probe"):
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    client.request("GET", "/engine.io/?EIO=4&transport=polling")
    sid = json.loads(client.getresponse().read()[1:])["sid"]
    wire = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    wire.sendall((f"GET /engine.io/?EIO=4&transport=websocket&sid={sid} HTTP/1.1\\r\\nHost: a\\r\\n"
        "Connection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\n\\r\\n").encode() + b"")
    came = b""
    while not came.endswith(b"\\r\\n\\r\\n"):
        came += wire.recv(1)
    wire.sendall(words)
    came = b""
    while data := wire.recv(1000):
        came += data
    ends.append((came[-2:], eio.sockets[sid].upgrading))
print(ends)
server.stop()
"""
    assert python(script) == r"[(b'\x88\x00', False), (b'\x88\x00', False)]"
