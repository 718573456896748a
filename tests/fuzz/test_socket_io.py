"""Z5: whatever Engine.IO and Socket.IO packets come, by WebSocket or polling, others are served and nothing stays."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets.sync.client import connect

from shared.signing.keys import WalletKey
from tests.fuzz.frames import change_bytes, converse, encode, frame, handshake, open_files, resident_mib
from tests.gateway.support import Gateway, process
from tests.simulation import seeds
from tests.support.plain_http import NO_TLS
from tests.support.platform import wait_for

MODULE = "tests/fuzz/test_socket_io.py"
SEEDS = 120
AT_ONCE = 10
GROWTH_MIB = 96
WS = "/api/socket.io/?EIO=4&transport=websocket"
POLLING = "/api/socket.io/?EIO=4&transport=polling"
KINDS = (
    "40",
    "41",
    "42",
    "43",
    "44",
    "45",
    "46",
    "451-",
    "4510-",
    "461-",
    "0",
    "1",
    "2probe",
    "3",
    "5",
    "6",
    "7",
    "4",
)


@pytest.fixture(scope="module", params=["threading", "eventlet"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp(request.param)
    with process(["-m", "gateway"], folder, GATEWAY_ASYNC_MODE=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def wallet() -> WalletKey:
    return WalletKey.create()[0]


def packet(rng: random.Random, auth: str) -> bytes:
    """Return one packet: a kind, a namespace, an id, some JSON, each of them odd now and then."""
    place = rng.choice(
        ["/gui-socket,", "/gui-socket,", "/engine-socket,", "/nowhere,", "/", "", "/gui-socket?a=b,"]
    )
    number = rng.choice(["", "", "7", "0", "-1", "9" * 30, "\u0661"])
    placeholder = '{"_placeholder":true,"num":0}'
    content = rng.choice([
        auth, "{}", "[]", '["list_runs",{}]', '["execute_workflow",{"payload":{}}]', f'["x",{placeholder}]', "null",
        '["disconnect"]', '["connect",{}]', "[7,{}]", '[["a"],{}]', "[" * 3000, '["x",NaN]', '["\\ud800"]', "x" * 5000,
    ])  # fmt: skip
    text = f"{rng.choice(KINDS)}{place}{number}{content}".encode()
    return text if rng.random() < 0.6 else change_bytes(rng, text)


def by_socket(gateway: Gateway, rng: random.Random, auth: str) -> None:
    taken_over = rng.random() < 0.3
    opening = handshake(rng, gateway.url, f"{WS}&sid={_polled(gateway)}" if taken_over else WS)
    if taken_over and rng.random() < 0.8:
        opening += encode(rng, 0x81, b"2probe") + (encode(rng, 0x81, b"5") if rng.random() < 0.8 else b"")
    pieces = [encode(rng, 0x81, f"40/gui-socket,{auth}".encode())] if rng.random() < 0.6 else []
    for _ in range(rng.randint(1, 6)):
        made = packet(rng, auth)
        pieces.append(encode(rng, 0x81, made) if rng.random() < 0.6 else frame(rng, made))
    seen = converse(gateway.url, [opening, *pieces], patience=rng.choice([0.01, 0.2]), wanted=lambda _: False)
    assert seen[:12] in (b"", b"HTTP/1.1 101", b"HTTP/1.1 400"), seen[:200]


def _polled(gateway: Gateway) -> str:
    begun = httpx.get(gateway.url + POLLING, timeout=20, verify=NO_TLS)
    assert begun.status_code == 200
    return str(json.loads(begun.text[1:])["sid"])


def by_polling(gateway: Gateway, rng: random.Random, auth: str) -> None:
    with httpx.Client(base_url=gateway.url, timeout=20, verify=NO_TLS) as client:
        begun = client.get(POLLING)
        assert begun.status_code == 200
        target = f"{POLLING}&sid={json.loads(begun.text[1:])['sid']}"
        for _ in range(rng.randint(1, 3)):
            body = b"\x1e".join(packet(rng, auth) for _ in range(rng.choice([1, 1, 2, 30])))
            kind = rng.choice(["text/plain", "application/octet-stream", "application/json"])
            answer = client.post(target, content=body, headers={"Content-Type": kind})
            assert answer.status_code in {200, 400, 413}, answer.text
        # where the connection was ended it is unknown from then on
        client.post(target, content=b"1")


def speak(seed: int, gateway: Gateway, auth: str) -> None:
    rng = random.Random(seed)
    with contextlib.suppress(httpx.TransportError):
        (by_socket if rng.random() < 0.6 else by_polling)(gateway, rng, auth)


def honest(gateway: Gateway, auth: str) -> None:
    """Join as a page does, be told of one's engines, and leave."""
    with connect(gateway.url.replace("http", "ws") + WS, open_timeout=30, proxy=None) as wire:
        wire.recv(30)
        wire.send(f"40/gui-socket,{auth}")
        assert str(wire.recv(30)).startswith("40/gui-socket,{")
        assert "initial_engine_statuses" in str(wire.recv(30))


def test_z5_whatever_packets_come_others_are_served(gateway: Gateway, wallet: WalletKey) -> None:
    assert gateway.process
    pid, auth = gateway.process.pid, json.dumps(gateway.gui_auth(wallet))
    honest(gateway, auth)
    for seed in range(10):  # so that what is loaded once is loaded
        speak(seed, gateway, auth)
    memory, files = resident_mib(pid), open_files(pid)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        tried = [
            pool.submit(seeds.try_seed, MODULE, speak, seed, gateway=gateway, auth=auth)
            for seed in seeds.chunk(SEEDS)
        ]
        while not all(each.done() for each in tried):
            honest(gateway, json.dumps(gateway.gui_auth(wallet)))
        for each in tried:
            each.result()
    honest(gateway, json.dumps(gateway.gui_auth(wallet)))
    assert resident_mib(pid) - memory < GROWTH_MIB
    wait_for(lambda: open_files(pid) <= files + 4, "the connections to be given back", 90)
    log = (gateway.folder / "log.txt").read_text()
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:3000]
