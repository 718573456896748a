"""B5: signed requests answered per second by the gateway, beside a bare Flask route under the same gunicorn worker."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.figures import Row, Scale
from benchmarks.http_load import closed_loop, request
from benchmarks.servers import gateway, server
from shared.signing.keys import WalletKey
from shared.signing.rest import sign_headers

WORK = "signed GET /user/engines"
DEADLINE_SECONDS = 120
REQUESTS = 3000
CONNECTIONS = 8
TARGET = "/api/v1/user/engines"
BARE = ["-m", "gunicorn", "-c", "benchmarks/bare_gunicorn.py", "benchmarks.bare:app"]


def measure(scale: Scale) -> list[Row]:
    """Return the rate of signed requests against that of the bare route."""
    wallet = WalletKey.create()[0]
    count = scale.of(REQUESTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        address = folder / "bare.json"
        bare = server(BARE, address, folder / "bare.log", {"BENCH_ADDRESS": str(address)})
        with bare as plain, gateway(folder) as at:
            register(at["url"], wallet)
            asked = [request(plain["url"] + TARGET)] * count
            rates = scale.medians(
                {
                    "bare": lambda: rate(plain["url"], asked, "engine"),
                    "ours": lambda: rate(at["url"], signed(at["url"], wallet, count), "Engine"),
                }
            )
    ours, limit = rates["ours"], rates["bare"]
    return [Row("B5", WORK, "/s", ours, limit, "bare Flask route, same worker", 0.5)]


def register(url: str, wallet: WalletKey, name: str = "Engine") -> tuple[str, str]:
    """Register an engine as its owner does; return its id and token."""
    body = json.dumps({"name": name}).encode()
    told = uvloop.run(closed_loop(url, [registration(url, wallet, body)], 1))
    made = json.loads(told.bodies[0])
    return made["id"], made["raw_token"]


def registration(url: str, wallet: WalletKey, body: bytes) -> bytes:
    """Return the signed request that registers an engine."""
    headers = sign_headers(wallet, "POST", TARGET, body, now_ms=time.time_ns() // 1_000_000)
    return request(url + TARGET, "POST", headers | {"Content-Type": "application/json"}, body)


def signed(url: str, wallet: WalletKey, count: int) -> list[bytes]:
    """Sign so many requests, each different, and with its own time."""
    signed_now = (
        sign_headers(wallet, "GET", TARGET, b"", now_ms=time.time_ns() // 1_000_000) for _ in range(count)
    )
    return [request(url + TARGET, headers=headers) for headers in signed_now]


def rate(url: str, requests: list[bytes], named: str) -> float:
    """Return the requests answered a second; each answer has to list the one engine."""
    told = uvloop.run(closed_loop(url, requests, CONNECTIONS))
    if any(
        len(found := json.loads(body)) != 1 or named not in found[0].values() for body in set(told.bodies)
    ):
        raise RuntimeError(f"the route answered {list(set(told.bodies))[:3]}")
    return told.rate
