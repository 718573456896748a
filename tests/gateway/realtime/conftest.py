"""The namespaces are tried on two gateway processes too: one port, one Redis, one PostgreSQL, connections in turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.gateway.support import Gateway, process
from tests.support.balancer import balancer
from tests.support.databases import Databases
from tests.support.redis import RedisServer


@pytest.fixture(scope="session")
def spread(
    tmp_path_factory: pytest.TempPathFactory, redis: RedisServer, postgres: Databases
) -> Iterator[Gateway]:
    """Two processes as they are in production; every connection reaches another one than the one before."""
    folder = tmp_path_factory.mktemp("spread")
    with balancer() as front:
        url = f"http://127.0.0.1:{front.port}"
        shared = {
            "GATEWAY_ASYNC_MODE": "eventlet",
            "GATEWAY_WORKERS": "2",
            "GATEWAY_PUBLIC_URL": url,
            "REDIS_URL": redis.url,
            "DATABASE_URL": postgres.create_migrated(),
        }
        with (
            process(["-m", "gateway"], folder / "first", **shared) as first,
            process(["-m", "gateway"], folder / "second", **shared) as second,
        ):
            front.start(*(int(one.url.rpartition(":")[2]) for one in (first, second)))
            yield replace(first, url=url, process=None, workers=2)


@pytest.fixture(scope="session", params=["threading", "eventlet", "two workers"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in a process of its own, once per runtime, and one of two processes."""
    if request.param == "two workers":
        yield request.getfixturevalue("spread")
        return
    folder = tmp_path_factory.mktemp(request.param)
    with process(["-m", "gateway"], folder, GATEWAY_ASYNC_MODE=request.param) as gateway:
        yield gateway


@pytest.fixture(scope="session", params=["one process", "two workers"])
def anywhere(request: pytest.FixtureRequest) -> Gateway:
    """The gateway in this process, or the one of two processes."""
    name = "spread" if request.param == "two workers" else "local"
    found: Gateway = request.getfixturevalue(name)
    return found
