"""Fixtures of the gateway's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.db import migrate
from gateway.db.database import Database
from shared.clock import ManualClock
from shared.signing.keys import WalletKey
from tests.gateway.support import Gateway, in_process, process
from tests.support.databases import Databases
from tests.support.evm import EvmNode, evm_node
from tests.support.postgres import postgres_server
from tests.support.redis import RedisServer, redis_server


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database of a gateway, in ``gateway.db`` of the test's folder."""
    database = Database(f"sqlite:///{tmp_path / 'gateway.db'}")
    migrate.upgrade(database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """A real PostgreSQL server."""
    with postgres_server() as server:
        yield Databases(server)


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A real Redis server."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def evm() -> Iterator[EvmNode]:
    """A real node of an EVM chain of its own."""
    with evm_node() as node:
        yield node


@pytest.fixture(scope="session", params=["threading", "eventlet"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in a process of its own, once per runtime, shared by tests that use wallets of their own."""
    folder = tmp_path_factory.mktemp(request.param)
    with process(["-m", "gateway"], folder, GATEWAY_ASYNC_MODE=request.param) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in this process, shared by tests that use wallets of their own."""
    with in_process(tmp_path_factory.mktemp("local")) as gateway:
        yield gateway


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def timed(tmp_path, clock: ManualClock) -> Iterator[Gateway]:
    """A gateway whose time stands still until the test moves it."""
    with in_process(tmp_path, clock) as gateway:
        yield gateway


@pytest.fixture
def wallet() -> WalletKey:
    return WalletKey.create()[0]


@pytest.fixture
def stranger() -> WalletKey:
    return WalletKey.create()[0]
