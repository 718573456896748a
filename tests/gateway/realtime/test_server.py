"""The Socket.IO server against clients that do not keep to the protocol, on raw WebSockets and both runtimes."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from gateway.realtime import server
from gateway.realtime.engine_io import Channel
from gateway.realtime.outbox import Outbox, Turns
from gateway.realtime.oversize import MAX_TOLERATED, READ_FACTOR
from shared.clock import ManualClock
from shared.signing.keys import WalletKey
from tests.gateway.support import WAIT, Gateway

LIMIT = 1024 * 1024


@contextlib.contextmanager
def raw(gateway: Gateway, **options: Any) -> Iterator[ClientConnection]:
    """Open a bare Engine.IO connection."""
    target = gateway.url.replace("http", "ws") + "/api/socket.io/?EIO=4&transport=websocket"
    with connect(target, open_timeout=WAIT, max_size=None, proxy=None, **options) as wire:
        assert str(wire.recv(WAIT)).startswith("0{")
        yield wire


@contextlib.contextmanager
def joined(gateway: Gateway, wallet: WalletKey) -> Iterator[ClientConnection]:
    """Open a connection that has joined the namespace of GUIs."""
    with raw(gateway) as wire:
        wire.send(f"40/gui-socket,{json.dumps(gateway.gui_auth(wallet))}")
        assert str(wire.recv(WAIT)).startswith("40/gui-socket,{")
        assert str(wire.recv(WAIT)) == '42/gui-socket,["initial_engine_statuses",[]]'
        yield wire


def drain(wire: ClientConnection) -> list[str]:
    """Read until the server closes."""
    seen = []
    deadline = time.monotonic() + WAIT
    with contextlib.suppress(ConnectionClosed):
        while True:
            seen.append(str(wire.recv(deadline - time.monotonic())))
    return seen


@pytest.mark.parametrize(
    "packet",
    [
        '42/gui-socket,["early",{}]',
        "40/gui-socket,{",
        "40/gui-socket," + "[" * 100_000,
        "4" + "[" * 100_000,
        "42/gui-socket",
        "49/gui-socket,[]",
        "4x",
        "44/gui-socket,{}",
        '451-/gui-socket,["event",{"_placeholder":true,"num":0}]',
        "45999999999-/gui-socket,[]",
        b"\x00binary",
        "40/no-such-namespace,{}",
        "40",
    ],
)
def test_a_stranger_that_sends_nonsense_is_disconnected(live: Gateway, packet: str | bytes) -> None:
    with raw(live) as wire:
        wire.send(packet)
        drain(wire)
    assert live.send("GET", "/api/v1/system/health").status_code == 200


@pytest.mark.parametrize(
    "packet",
    [
        "42/gui-socket,{}",
        "42/gui-socket,[]",
        "42/gui-socket,[7]",
        '42/gui-socket,["event",NaN]',
        '42/gui-socket,["event",' + "[" * 100_000,
        '451-/gui-socket,["event",{"_placeholder":true,"num":0}]',
        b"\x00binary",
        "40/gui-socket,{}",
    ],
)
def test_a_member_that_sends_nonsense_is_disconnected(
    live: Gateway, wallet: WalletKey, packet: str | bytes
) -> None:
    with joined(live, wallet) as wire:
        wire.send(packet)
        drain(wire)
    with joined(live, wallet):
        pass


def test_a_refused_connect_ends_the_connection(live: Gateway, wallet: WalletKey) -> None:
    with raw(live) as wire:
        wire.send("40/gui-socket,{}")
        assert drain(wire)[0].startswith("44/gui-socket,")


def test_a_large_event_arrives_whole(live: Gateway, wallet: WalletKey) -> None:
    payload = {"filler": "ä€😀" * 60_000, "request_id": "at the end"}
    with joined(live, wallet) as wire:
        text = json.dumps({"v": 2, "payload": payload}, ensure_ascii=False)
        assert len(text.encode()) > LIMIT // 2
        wire.send(f'42/gui-socket,["save_preset",{text}]')
        name, frame = json.loads(str(wire.recv(WAIT)).removeprefix("42/gui-socket,"))
        assert (name, frame["request_id"]) == ("error", "at the end")


def test_a_fragmented_event_arrives_whole(live: Gateway, wallet: WalletKey) -> None:
    with joined(live, wallet) as wire:
        wire.send(['42/gui-socket,["x",{"v":2,', '"payload":{"request_id":', '"r"}}]'])
        assert '"request_id":"r"' in str(wire.recv(WAIT))


@pytest.mark.parametrize("kind", ["one frame", "fragments"])
def test_a_message_beyond_the_limit_is_cut_off(live: Gateway, wallet: WalletKey, kind: str) -> None:
    with joined(live, wallet) as wire:
        with contextlib.suppress(ConnectionClosed):
            if kind == "one frame":
                wire.send("4" + "x" * READ_FACTOR * LIMIT)
            else:
                wire.send("4" + "x" * 60_000 for _ in range(20 * READ_FACTOR))
        drain(wire)
        # The rest of what was sent may meet a connection that is closed already.
        assert wire.close_code in {1009, 1006}


@pytest.mark.parametrize("filler", ["x" * LIMIT, "é" * (LIMIT // 2), "x" * (3 * LIMIT)])
def test_a_large_message_is_answered_and_the_connection_lives(
    live: Gateway, wallet: WalletKey, filler: str
) -> None:
    with joined(live, wallet) as wire:
        wire.send(f'42/gui-socket,7["save_preset",{{"v":2,"payload":{{"x":"{filler}"}}}}]')
        told = [str(wire.recv(WAIT)), str(wire.recv(WAIT))]
        assert told[0].startswith('42/gui-socket,["error",{')
        assert "TOO_LARGE" in told[0]
        assert told[1].startswith('43/gui-socket,7[{"ok":false')
        wire.send('42/gui-socket,8["list_runs",{"v":2,"payload":{}}]')
        assert "ENGINE_UNAVAILABLE" in str(wire.recv(WAIT))


def test_who_goes_on_with_large_messages_is_disconnected(live: Gateway, wallet: WalletKey) -> None:
    with joined(live, wallet) as wire:
        for _ in range(MAX_TOLERATED):
            wire.send("42/gui-socket,[" + "x" * LIMIT)
            assert "TOO_LARGE" in str(wire.recv(WAIT))
        with contextlib.suppress(ConnectionClosed):
            wire.send("42/gui-socket,[" + "x" * LIMIT)
        drain(wire)
        assert wire.close_code is not None


def test_a_large_message_of_a_stranger_ends_the_connection(live: Gateway) -> None:
    with raw(live) as wire:
        wire.send("42/gui-socket,[" + "x" * LIMIT)
        assert drain(wire) == ["1"]  # the packet that closes


def test_messages_are_not_compressed(live: Gateway) -> None:
    with raw(live, compression="deflate") as wire:
        assert wire.response is not None
        assert "Sec-WebSocket-Extensions" not in wire.response.headers


def test_websockets_before_rfc_6455_are_refused(live: Gateway) -> None:
    where = urlsplit(live.url)
    request = (
        "GET /api/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
        "Upgrade: WebSocket\r\nOrigin: http://x\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port), timeout=WAIT) as wire:
        wire.sendall(request.encode())
        assert wire.recv(100).split(b"\r\n")[0].endswith(b"426 Upgrade Required")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("https://flowork.cloud", True),
        ("http://localhost:5173", True),
        ("OWN", True),
        ("https://flowork.cloud.evil.example", False),
        ("http://evil.example", False),
        ("null", False),
    ],
)
def test_pages_of_other_origins_cannot_open_a_socket(
    live: Gateway, origin: str | None, allowed: bool
) -> None:
    given = live.url if origin == "OWN" else origin
    if allowed:
        with raw(live, origin=given):
            pass
    else:
        with pytest.raises(InvalidStatus), raw(live, origin=given):
            pass


def test_a_connection_that_joins_nothing_is_closed(
    timed: Gateway, clock: ManualClock, wallet: WalletKey
) -> None:
    with raw(timed) as idle, joined(timed, wallet) as member:
        clock.advance(server.HANDSHAKE_SECONDS + 1)
        drain(idle)
        member.send('42/gui-socket,["x",{"v":2,"payload":{}}]')
        assert "UNKNOWN_COMMAND" in str(member.recv(WAIT))


def test_a_reader_that_stands_still_is_dropped(timed: Gateway, wallet: WalletKey, monkeypatch) -> None:
    monkeypatch.setattr(server, "MAX_UNSENT_PACKETS", 20)
    sockets = timed.app._sockets
    room = f"address:{wallet.address.lower()}"
    where = urlsplit(timed.url)
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect((where.hostname, where.port))
    with raw(timed, sock=narrow) as wire:
        wire.send(f"40/gui-socket,{json.dumps(timed.gui_auth(wallet))}")
        wire.recv(WAIT)
        wire.recv(WAIT)
        assert len(sockets.members("/gui-socket", room)) == 1
        for _ in range(200):
            sockets.publish("/gui-socket", "flood", "x" * 300_000, [room])
            if not sockets.members("/gui-socket", room):
                break
        assert sockets.members("/gui-socket", room) == []
        narrow.shutdown(socket.SHUT_RDWR)


def test_what_waits_for_a_slow_reader_is_bounded_in_bytes(timed: Gateway, monkeypatch) -> None:
    monkeypatch.setattr(server, "MAX_UNSENT_BYTES", 1000)
    sockets, turns = timed.app._sockets, Turns(lambda call: None, lambda task: None)
    channel = sockets.eio.sockets["slow"] = Channel(sockets.eio, "slow")
    outbox = channel.queue = Outbox(None, turns)
    sockets._handle_eio_connect("slow", {})
    packet = sockets.packet_class(namespace="/gui-socket", data=["flood", "x" * 600])
    for waiting in (1, 2):
        sockets._send_packet("slow", packet)
        assert (outbox.qsize(), channel.closed) == (waiting, False)
    sockets._send_packet("slow", packet)
    assert channel.closed
    assert outbox.unsent_bytes < 10, "nothing but the word that it is over"


def test_an_unexpected_error_is_logged_once_and_told_as_an_incident(
    timed: Gateway, wallet: WalletKey, monkeypatch, caplog
) -> None:
    def broken(*_args: Any) -> None:
        raise RuntimeError("the secret text")

    with joined(timed, wallet) as wire:
        monkeypatch.setattr("gateway.realtime.frames.open_envelope", broken)
        wire.send('42/gui-socket,["x",{}]')
        answer = str(wire.recv(WAIT))
    assert "secret" not in answer
    frame = json.loads(answer.removeprefix("42/gui-socket,"))[1]
    assert (frame["code"], frame["message"]) == ("INTERNAL", "Internal Server Error")
    logged = [record for record in caplog.records if record.exc_info]
    assert [record.incident for record in logged] == [frame["details"]["incident"]]


def test_closing_the_gateway_closes_its_sockets_and_threads(tmp_path, wallet: WalletKey) -> None:
    from tests.gateway.support import in_process

    before = set(threading.enumerate())
    with in_process(tmp_path) as gateway:
        wire = raw(gateway).__enter__()
        gateway.app.close_sockets()
        drain(wire)
        wire.close()
    for thread in set(threading.enumerate()) - before:
        thread.join(WAIT)
        assert not thread.is_alive(), thread.name
