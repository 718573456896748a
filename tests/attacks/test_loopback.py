"""A116: what listens on loopback by default cannot be reached by any other address of this machine."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests.core_engine.engine import engine
from tests.gateway.support import process

WAIT = 5.0


def other_addresses() -> list[str]:
    """Return this machine's addresses, as the local network and containers know it."""
    known = [each for interface in psutil.net_if_addrs().values() for each in interface]
    numbers = {each.address for each in known if each.family in {socket.AF_INET, socket.AF_INET6}}
    return sorted(number for number in numbers if not number.startswith(("127.", "::1", "fe80:")))


def reached(url: str) -> list[str]:
    """Return the addresses under which the port of a URL takes connections."""
    port = urlsplit(url).port
    assert port
    found = []
    for address in ["127.0.0.1", *other_addresses()]:
        try:
            socket.create_connection((address, port), WAIT).close()
        except OSError:
            continue
        found.append(address)
    return found


async def test_a116_only_loopback_is_listened_on(tmp_path: Path) -> None:
    if not other_addresses():
        pytest.skip(
            "this machine has no address but loopback: whether others reach the services cannot be tried"
        )
    with process(["-m", "gateway"], tmp_path / "gateway") as gateway:
        async with engine(tmp_path / "engine") as running:
            for url in (gateway.url, running.address.http, running.address.socket):
                assert await asyncio.to_thread(reached, url) == ["127.0.0.1"], url
