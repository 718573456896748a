"""A real PostgreSQL for the tests of this folder, one per worker, and SQL steps on it or on SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.builtin.sql_insert.component import SqlInsert
from core_engine.components.builtin.sql_query.component import SqlQuery
from core_engine.components.files import RootedFiles
from core_engine.components.network import NetworkPolicy
from core_engine.kernel.payload import Payload, Result
from tests.support.postgres import PostgresServer, postgres_server

NETWORK = NetworkPolicy(["127.0.0.0/8"])


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as made:
        yield made


@pytest.fixture
def postgres(server: PostgresServer) -> PostgresServer:
    """The server with an empty schema."""
    with server.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server


class Surroundings:
    """What a step's `Context` gives to the SQL steps."""

    def __init__(self, files: RootedFiles) -> None:
        self.files = files
        self.logs: list[str] = []

    def log(self, message: str, level: str = "INFO") -> None:
        self.logs.append(message)


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    return Surroundings(RootedFiles([tmp_path / "files"], tmp_path / "data"))


Ask = Callable[..., Any]


@pytest.fixture
def ask(around: Surroundings) -> Ask:
    """``ask(url, query, {name: value}, **settings)`` returns the data of a `sql_query`."""

    def call(url: str, query: str, values: dict[str, Any] | None = None, **settings: Any) -> Any:
        network = settings.pop("network", NETWORK)
        named = [{"name": name, "value": value} for name, value in (values or {}).items()]
        component = SqlQuery(network)
        config = component.parse_config({"url": url, "query": query, "parameters": named, **settings})
        return _data(component.execute(around, config, Payload({})))

    return call


@pytest.fixture
def insert(around: Surroundings) -> Ask:
    """``insert(url, table, rows, **settings)`` returns the data of a `sql_insert`."""

    def call(url: str, table: str, rows: Any, **settings: Any) -> Any:
        component = SqlInsert(NETWORK)
        config = component.parse_config({"url": url, "table": table, "rows": rows, **settings})
        return _data(component.execute(around, config, Payload({})))

    return call


def _data(result: Any) -> Any:
    assert isinstance(result, Result)
    return result.outputs["success"].data
