"""Two gateway processes with one PostgreSQL database and one Redis: `first` and `second`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.gateway.support import Gateway, process
from tests.support.databases import Databases
from tests.support.redis import RedisServer, redis_server


@dataclass
class Pair:
    """Both processes and what they share."""

    first: Gateway
    second: Gateway
    redis: RedisServer
    environment: dict[str, str]


@contextlib.contextmanager
def started(folder, mode: str, redis: RedisServer, database: str) -> Iterator[Pair]:
    shared = {"GATEWAY_ASYNC_MODE": mode, "REDIS_URL": redis.url, "DATABASE_URL": database}
    # The first one enters its bundled engine; the second's token is not that engine's.
    with (
        process(["-m", "gateway"], folder / "first", **shared) as first,
        process(["-m", "gateway"], folder / "second", **shared) as second,
    ):
        yield Pair(first, second, redis, shared)


@pytest.fixture(scope="session", params=["threading", "eventlet"])
def pair(request, tmp_path_factory, redis: RedisServer, postgres: Databases) -> Iterator[Pair]:
    """Two processes that live as long as the tests, once for each runtime."""
    folder = tmp_path_factory.mktemp(request.param)
    with started(folder, request.param, redis, postgres.create_database()) as both:
        yield both


@pytest.fixture
def mortal(request, tmp_path, redis: RedisServer, postgres: Databases) -> Iterator[Pair]:
    """Two processes that a test may kill."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with (
        redis_server(folder) as own,
        started(tmp_path, "threading", own, postgres.create_database()) as both,
    ):
        yield both
