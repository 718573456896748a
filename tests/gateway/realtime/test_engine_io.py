"""Connections are asked whether they are there; who does not answer is disconnected and forgotten."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from gateway.realtime import engine_io, server
from gateway.realtime.engine_io import Pinger
from tests.gateway.support import WAIT, Gateway, in_process


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(server, "PING_SECONDS", 0.1)
    monkeypatch.setattr(server, "PONG_SECONDS", 0.3)
    monkeypatch.setattr(server, "HANDSHAKE_SECONDS", 600.0)
    monkeypatch.setattr(engine_io, "LOOK_SECONDS", 0.05)
    with in_process(tmp_path) as gateway:
        yield gateway


def test_who_answers_stays_and_who_does_not_is_disconnected(impatient: Gateway) -> None:
    target = impatient.url.replace("http", "ws") + "/api/socket.io/?EIO=4&transport=websocket"
    with connect(target, open_timeout=WAIT, proxy=None) as wire:
        assert str(wire.recv(WAIT)).startswith("0{")
        for _ in range(4):
            assert wire.recv(WAIT) == "2"
            wire.send("3")
        assert wire.recv(WAIT) == "2"
        with pytest.raises(ConnectionClosed):
            wire.recv(WAIT)
    assert impatient.app._sockets.eio.sockets == {}


class Channel:
    """Stands for a connection."""

    def __init__(self, sid: str, fails: bool = False) -> None:
        self.sid = sid
        self.closed = False
        self.fails = fails
        self.pings = 0
        self.checks = 0

    def ping(self) -> None:
        self.pings += 1
        if self.fails:
            raise RuntimeError

    def check_ping_timeout(self) -> bool:
        self.checks += 1
        return True


def test_one_that_fails_does_not_keep_others_waiting(caplog: pytest.LogCaptureFixture) -> None:
    channels = {name: Channel(name, fails=name == "bad") for name in ("bad", "good")}
    pinger = Pinger(dict(channels), interval=-1, timeout=-1)
    for channel in channels.values():
        pinger.add(channel)  # type: ignore[arg-type] # stands for one
    with caplog.at_level(logging.ERROR):
        pinger.look()
    assert (channels["good"].pings, channels["good"].checks) == (1, 1)
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_closed_connections_are_forgotten_unless_another_has_their_id() -> None:
    gone, replaced = Channel("gone"), Channel("replaced")
    sockets = {"gone": gone, "replaced": Channel("replaced")}
    pinger = Pinger(sockets, interval=-1, timeout=-1)
    for channel in (gone, replaced):
        channel.closed = True
        pinger.add(channel)  # type: ignore[arg-type] # stands for one
    pinger.look()
    assert list(sockets) == ["replaced"]
    assert (gone.pings, gone.checks) == (0, 0)
