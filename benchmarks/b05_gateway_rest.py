"""B5: signed requests answered per second by the gateway, beside a bare Flask route under the same gunicorn worker."""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.figures import Row, median_of
from benchmarks.servers import gateway, server
from shared.signing.keys import WalletKey
from shared.signing.rest import sign_headers

REQUESTS = 1500
TARGET = "/api/v1/user/engines"
BARE = ["-m", "gunicorn", "-c", "benchmarks/bare_gunicorn.py", "benchmarks.bare:app"]


def measure() -> list[Row]:
    """Return the rate of signed requests against that of the bare route."""
    wallet = WalletKey.create()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        address = folder / "bare.json"
        with server(BARE, address, folder / "bare.log", BARE_ADDRESS=str(address)) as at:
            bare = median_of(lambda: requests(at["url"], {}))
        with gateway(folder) as at:
            body = json.dumps({"name": "Engine"}).encode()
            headers = sign_headers(wallet, "POST", TARGET, body, now_ms=time.time_ns() // 1_000_000)
            send(at["url"], "POST", body, headers | {"Content-Type": "application/json"})
            rate = median_of(lambda: signed(at["url"], wallet))
    return [Row("B5", "signed GET /user/engines", "/s", rate, bare, "bare Flask route", 0.5)]


def signed(url: str, wallet: WalletKey) -> float:
    """Sign every request beforehand, then make them one after another."""
    now_ms = time.time_ns() // 1_000_000
    every = [sign_headers(wallet, "GET", TARGET, b"", now_ms=now_ms) for _ in range(REQUESTS)]
    return requests(url, *every)


def requests(url: str, *headers: dict[str, str]) -> float:
    """Return the requests a second of one client that keeps its connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    started = time.perf_counter()
    for number in range(REQUESTS):
        connection.request("GET", TARGET, headers=headers[number % len(headers)])
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"answered {answer.status}")
    connection.close()
    return REQUESTS / (time.perf_counter() - started)


def send(url: str, method: str, body: bytes, headers: dict[str, str]) -> None:
    """Make one request that has to succeed."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.request(method, TARGET, body, headers)
    answer = connection.getresponse()
    if answer.status >= 300:
        raise RuntimeError(f"answered {answer.status}: {answer.read()!r}")
    connection.close()
