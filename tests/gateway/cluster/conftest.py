"""Two gateway processes with one PostgreSQL database and one Redis: `first` and `second`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.gateway.support import Gateway, process
from tests.support.postgres import Postgres, running_postgres
from tests.support.redis import Redis, running_redis


@dataclass
class Pair:
    """Both processes and what they share."""

    first: Gateway
    second: Gateway
    redis: Redis
    environment: dict[str, str]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Redis]:
    with running_redis() as server:
        yield server


@contextlib.contextmanager
def started(folder, mode: str, redis: Redis, database: str) -> Iterator[Pair]:
    shared = {"GATEWAY_ASYNC_MODE": mode, "REDIS_URL": redis.url, "DATABASE_URL": database}
    # The first one enters its bundled engine; the second's token is not that engine's.
    with (
        process(["-m", "gateway"], folder / "first", **shared) as first,
        process(["-m", "gateway"], folder / "second", **shared) as second,
    ):
        yield Pair(first, second, redis, shared)


@pytest.fixture(scope="session", params=["threading", "eventlet"])
def pair(request, tmp_path_factory, redis: Redis, postgres: Postgres) -> Iterator[Pair]:
    """Two processes that live as long as the tests, once for each runtime."""
    folder = tmp_path_factory.mktemp(request.param)
    with started(folder, request.param, redis, postgres.create_database()) as both:
        yield both


@pytest.fixture
def mortal(request, tmp_path, redis: Redis, postgres: Postgres) -> Iterator[Pair]:
    """Two processes that a test may kill."""
    with running_redis() as own, started(tmp_path, "threading", own, postgres.create_database()) as both:
        yield both
