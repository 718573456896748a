"""Two gateway processes with one PostgreSQL database and one Redis: `first` and `second`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.gateway.support import Gateway, process
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.redis import RedisServer, redis_server


@dataclass
class Pair:
    """Both processes and what they share."""

    first: Gateway
    second: Gateway
    redis: RedisServer
    environment: dict[str, str]


@dataclass
class Databases:
    """Empty databases of one server."""

    server: PostgresServer
    made: int = 0

    def create_database(self) -> str:
        """Return the URL of an empty database."""
        self.made += 1
        name = f"gateway_{self.made}"
        with self.server.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return replace(self.server, database=name).url


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    with postgres_server() as server:
        yield Databases(server)


@pytest.fixture(scope="session")
def redis(tmp_path_factory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


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
