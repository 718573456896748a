"""The REST client against a real gateway: the whole life of an engine, and every refusal with its code."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from flowork import Client
from shared.clock import ManualClock, SystemClock
from shared.errors import ErrorCode, FloworkError
from shared.signing.keys import WalletKey
from tests.support.platform import Platform


@pytest.fixture(scope="module")
def gateway_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    platform = Platform(tmp_path_factory.mktemp("gateway"))
    platform.start_gateway()
    yield platform.gateway_url
    platform.close()


@pytest.fixture
def client(gateway_url: str) -> Iterator[Client]:
    with Client(gateway_url, WalletKey(os.urandom(32))) as client:
        yield client


def test_the_life_of_an_engine(client: Client) -> None:
    assert client.health().status == "healthy"
    assert client.profile().public_address == client.identity.address
    assert client.engines() == []
    made = client.register_engine("  First  ")
    assert made.raw_token.startswith("dev_engine_")
    assert client.rename_engine(made.id, "Second").message
    renewed = client.reset_token(made.id)
    assert renewed.token != made.raw_token
    assert [(item.id, item.name, item.status) for item in client.engines()] == [
        (made.id, "Second", "offline")
    ]
    client.delete_engine(made.id)
    assert client.engines() == []
    for act in (client.delete_engine, client.reset_token):
        with pytest.raises(FloworkError) as caught:
            act(made.id)
        assert caught.value.code is ErrorCode.NOT_FOUND


def test_what_is_wrong_is_said_before_it_is_sent(client: Client) -> None:
    with pytest.raises(FloworkError, match="name") as caught:
        client.register_engine("  ")
    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert caught.value.details[0]["field"] == "name"
    with pytest.raises(FloworkError, match="claim link"):
        client.claim("http://127.0.0.1/#claim=x")
    with pytest.raises(FloworkError) as unknown:
        client.claim("code", "no-such-engine")
    assert unknown.value.code is ErrorCode.NOT_FOUND


def test_waiting_for_an_engine_has_an_end(client: Client) -> None:
    made = client.register_engine("Sleeper")
    with pytest.raises(FloworkError, match=made.id) as late:
        client.wait_online(made.id, 0.5)
    assert late.value.code is ErrorCode.DEADLINE_EXCEEDED
    with pytest.raises(FloworkError) as unknown:
        client.wait_online("nobody", 5)
    assert unknown.value.code is ErrorCode.NOT_FOUND


def test_a_wrong_clock_is_named(gateway_url: str) -> None:
    slow = ManualClock(SystemClock().now_ms() - 1_000_000)
    client = Client(gateway_url, WalletKey(os.urandom(32)), clock=slow)
    with (
        client,
        pytest.raises(FloworkError, match=r"clock is about (999|1000|1001) seconds behind") as caught,
    ):
        client.profile()
    assert caught.value.code is ErrorCode.STALE
    assert caught.value.meaning.exit == 77


def test_no_gateway_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with (
            Client(url, WalletKey(os.urandom(32)), timeout_seconds=0.2) as silent,
            pytest.raises(FloworkError) as late,
        ):
            silent.health()
    assert late.value.code is ErrorCode.DEADLINE_EXCEEDED
    with (
        Client(url, WalletKey(os.urandom(32))) as client,
        pytest.raises(FloworkError, match="flowork up") as caught,
    ):
        client.health()
    assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE
    with pytest.raises(FloworkError) as wrong:
        Client("127.0.0.1:8000", WalletKey(os.urandom(32)))
    assert wrong.value.code is ErrorCode.CONFIGURATION


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"<html>hello", ErrorCode.INTERNAL),
        (200, b'{"status": "odd"}', ErrorCode.INTERNAL),
        (503, b"<html>", ErrorCode.ENGINE_UNAVAILABLE),
        (418, b'{"error": "tea"}', ErrorCode.INTERNAL),
        (403, b'{"error": "no", "code": "FROM_THE_FUTURE"}', ErrorCode.FORBIDDEN),
        (500, b'{"error": "full", "code": "STORAGE_FULL"}', ErrorCode.STORAGE_FULL),
    ],
)
def test_answers_that_are_not_as_expected(status: int, body: bytes, code: ErrorCode) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer_once, args=(server, status, body))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with Client(url, WalletKey(os.urandom(32))) as client, pytest.raises(FloworkError) as caught:
            client.health()
        thread.join(5)
    assert caught.value.code is code


def answer_once(server: socket.socket, status: int, body: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)


def test_the_names_are_public() -> None:
    import flowork

    assert flowork.Client is Client
    assert flowork.WalletKey is WalletKey
    with pytest.raises(AttributeError):
        flowork.Nonsense  # noqa: B018
