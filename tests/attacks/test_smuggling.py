"""A34, Z11: a request whose end two parsers see in different places is answered once, and what it hides never."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.core_engine.engine import engine
from tests.fuzz.requests import seen_strictly, stream
from tests.gateway.support import Gateway, process
from tests.simulation import seeds

WAIT = 30.0
SILENCE = 0.5
SMUGGLED = b"GET /health-of-the-smuggler HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
GUNICORN = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "gateway.wsgi:app"]
CHUNKED = b"0\r\n\r\n"
SEEDS, KNOWN, AT_ONCE = 120, (154301553,), 40


def request(headers: bytes, body: bytes) -> bytes:
    return (
        b"POST /api/v1/user/engines HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        + headers
        + b"\r\n"
        + body
    )


# Each says in two ways where it ends, or says it in a way that parsers read differently.
REQUESTS = {
    "length-and-chunks": request(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", CHUNKED + SMUGGLED),
    "chunks-and-length": request(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", CHUNKED + SMUGGLED),
    "two-lengths": request(b"Content-Length: 2\r\nContent-Length: 60\r\n", b"{}" + SMUGGLED),
    "lengths-in-a-list": request(b"Content-Length: 2, 60\r\n", b"{}" + SMUGGLED),
    "length-with-a-sign": request(b"Content-Length: +2\r\n", b"{}" + SMUGGLED),
    "length-in-other-digits": request("Content-Length: \uff12\r\n".encode(), b"{}" + SMUGGLED),
    "negative-length": request(b"Content-Length: -1\r\n", SMUGGLED),
    "unknown-coding": request(b"Transfer-Encoding: xchunked\r\n", CHUNKED + SMUGGLED),
    "coding-after-chunked": request(b"Transfer-Encoding: chunked, identity\r\n", CHUNKED + SMUGGLED),
    "coding-hidden-by-a-space": request(b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n", CHUNKED + SMUGGLED),
    "coding-on-a-folded-line": request(b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n", CHUNKED + SMUGGLED),
    "chunk-of-no-number": request(b"Transfer-Encoding: chunked\r\n", b"zz\r\n{}\r\n" + CHUNKED + SMUGGLED),
    "chunk-with-a-sign": request(b"Transfer-Encoding: chunked\r\n", b"+2\r\n{}\r\n" + CHUNKED + SMUGGLED),
    "chunk-of-hex-prefix": request(b"Transfer-Encoding: chunked\r\n", b"0x2\r\n{}\r\n" + CHUNKED + SMUGGLED),
    "coding-hidden-by-a-tab": request(b'transfer-encoding\t: "chunked"\r\n', SMUGGLED),
    "length-after-a-line-that-is-no-header": request(b"no header\r\nContent-Length: 60\r\n", SMUGGLED),
    "length-after-an-empty-line-for-some": request(b"X: y\r\r\nContent-Length: 60\r\n", SMUGGLED),
    "chunk-without-its-end": request(b"Transfer-Encoding: chunked\r\n", b"2\r\n{}XX" + CHUNKED + SMUGGLED),
}  # fmt: skip


def converse(url: str, message: bytes) -> bytes:
    """Send the bytes and read until the server closes or has been silent for a moment."""
    where = urlsplit(url)
    assert where.hostname
    assert where.port
    seen = b""
    with closing(socket.create_connection((where.hostname, where.port), WAIT)) as wire:
        wire.sendall(message.replace(b"{host}", where.netloc.encode()))
        wire.settimeout(SILENCE)
        with contextlib.suppress(TimeoutError):
            while piece := wire.recv(65_536):
                seen += piece
    return seen


def answers(url: str) -> dict[str, bytes]:
    """Send every request on a connection of its own, all at once."""
    with ThreadPoolExecutor(len(REQUESTS)) as pool:
        return dict(zip(REQUESTS, pool.map(lambda each: converse(url, each), REQUESTS.values()), strict=True))


def is_hidden(path: bytes, message: bytes) -> bool:
    """Tell whether a strict parser takes the bytes and finds no request for the path in them.

    What it refuses hides nothing: which of that a server reads all the same is no matter of where a request ends.
    """
    paths = seen_strictly(message)
    return paths is not None and path not in paths


def disagreements(url: str, second: bytes) -> dict[int, bytes]:
    """Return the seeds whose bytes hold a second request for the server that is none for a strict parser.

    The path of that one is answered well without a proof, and it alone is.
    """
    host = urlsplit(url).netloc.encode()
    streams = {
        seed: stream(random.Random(seed)).replace(b"{host}", host).replace(b"{second}", second)
        for seed in seeds.chunk(SEEDS, known=KNOWN)
    }
    with ThreadPoolExecutor(AT_ONCE) as pool:
        seen = dict(zip(streams, pool.map(lambda each: converse(url, each), streams.values()), strict=True))
    return {
        seed: streams[seed] + b" => " + answer
        for seed, answer in seen.items()
        if (b"HTTP/1.1 200" in answer and is_hidden(second, streams[seed])) or b"HTTP/1.1 500" in answer
    }


def is_refused_once(answer: bytes) -> bool:
    """Tell whether the answer is one refusal or none at all."""
    return not answer or (answer.count(b"HTTP/1.") == 1 and answer.split(b" ", 2)[1][:1] in b"45")


@pytest.fixture(scope="module", params=["threading", "eventlet", "gunicorn-threading", "gunicorn-eventlet"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp(request.param)
    server, _, runtime = request.param.rpartition("-")
    command, secret = (GUNICORN, "s" * 64) if server else (["-m", "gateway"], "")
    with process(command, folder, GATEWAY_ASYNC_MODE=runtime, GATEWAY_SECRET_TOKEN=secret) as running:
        yield running


def test_a34_the_gateway_answers_once(gateway: Gateway) -> None:
    assert {name: each for name, each in answers(gateway.url).items() if not is_refused_once(each)} == {}
    assert gateway.send("GET", "/api/v1/system/health").status_code == 200


def test_z11_no_bytes_hold_more_requests_than_a_strict_parser_sees(gateway: Gateway) -> None:
    assert disagreements(gateway.url, b"/api/v1/system/health") == {}, "again: SIM_SEED=…"
    assert gateway.send("GET", "/api/v1/system/health").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example{path}",
        "https://evil.example:443{path}",
        "http://{host}@evil.example{path}",
        "http://{path}",
    ],
)
def test_a33_a_target_that_names_another_host_is_refused(gateway: Gateway, target: str) -> None:
    """Behind a proxy that routes by one and a server that reads the other, they must not differ."""
    at = target.replace("{path}", "/api/v1/system/health").encode()
    answer = converse(gateway.url, b"GET " + at + b" HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert is_refused_once(answer)
    assert b"200 OK" not in answer


def test_a33_a_target_that_names_ours_is_no_other(gateway: Gateway) -> None:
    """Answered, or not found where the server takes no such target, and the same as by its path where it is."""
    answer = converse(
        gateway.url,
        b"GET http://{host}/api/v1/system/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
    )
    assert answer.split(b" ", 2)[1] in {b"200", b"404"}


async def test_z11_the_engine_sees_no_more_requests_than_a_strict_parser(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        assert await asyncio.to_thread(disagreements, running.address.http, b"/health") == {}, (
            "again: SIM_SEED=…"
        )
        assert b'"ready"' in await asyncio.to_thread(converse, running.address.http, HEALTH)


async def test_a34_the_engine_answers_once(tmp_path: Path) -> None:
    async with engine(tmp_path) as running:
        url = running.address.http
        assert b'"ready"' in await asyncio.to_thread(converse, url, HEALTH)
        seen = await asyncio.to_thread(answers, url)
    assert {name: each for name, each in seen.items() if not is_refused_once(each)} == {}
