"""One PostgreSQL, one Redis and one crew of workers for all tests here, and where each test's steps run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core_engine.kernel.component import Component, Execution
from core_engine.storage import EngineStore
from core_engine.workers import placement
from tests.core_engine.places import ENGINE, WORKERS, places_of
from tests.core_engine.workflow.workshop import Bench, Registry
from tests.support.engine_stores import Schemas, target_of
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.redis import RedisServer, redis_server

if TYPE_CHECKING:
    from tests.support.crew import Crew, Desk


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis"), password="pass-word") as server:
        yield server


@pytest.fixture(scope="session")
def schemas(postgres: PostgresServer) -> Schemas:
    return Schemas(postgres)


@pytest.fixture(scope="session")
def the_crew(postgres: PostgresServer, redis: RedisServer) -> Iterator[Crew]:
    from tests.core_engine.engine import ENGINE_ID
    from tests.support.crew import crew

    with crew(ENGINE_ID, postgres, redis) as made:
        yield made


@pytest.fixture
async def desk(the_crew: Crew) -> AsyncIterator[Desk]:
    """What carries out the steps of this test's own components; it is there for all engines of the test."""
    from tests.support.crew import Desk

    async with Desk(the_crew.desk).opened() as made:
        yield made
        await asyncio.to_thread(the_crew.forget)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    places = places_of(metafunc.module.__name__, metafunc.definition.originalname, metafunc.function)
    if places and places != [ENGINE]:
        metafunc.parametrize("place", places, indirect=True)


@pytest.fixture(autouse=True)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where steps run and the journal is: see `tests.core_engine.places`."""
    where = getattr(request, "param", ENGINE)
    if where == ENGINE:
        yield where
        return
    schemas: Schemas = request.getfixturevalue("schemas")
    monkeypatch.setattr(EngineStore, "open", schemas.open)
    if where == WORKERS:
        _to_workers(monkeypatch, request.getfixturevalue("the_crew"), request.getfixturevalue("desk"))
    yield where
    schemas.clean()


def _to_workers(monkeypatch: pytest.MonkeyPatch, crew: Crew, desk: Desk) -> None:
    """Have engines and run services of the test send their steps to the crew."""
    from tests.core_engine import engine as whole_engine
    from tests.support.crew import CrewOffice

    with_settings = whole_engine.settings

    def settings(folder: Path, **more: str) -> Any:
        schema = target_of(crew.postgres, folder).schema
        own = {"FLOWORK_DATA_DIR": str(folder), "ENGINE_DATABASE_SCHEMA": schema}
        return with_settings(folder, **{**crew.environment, **own, **more})

    def executor(store: EngineStore) -> CrewOffice:
        return CrewOffice(settings(Path(crew.desk).parent), store, desk)

    monkeypatch.setattr(whole_engine, "settings", settings)
    monkeypatch.setattr(Bench, "executor", staticmethod(executor))
    monkeypatch.setattr(Registry, "find", _taking_long(Registry.find))
    monkeypatch.setattr(placement, "_OWN", (placement._OWN, "tests."))


def _taking_long(find: Callable[..., Any]) -> Callable[..., Any]:
    """Have short steps of tests count as long ones: those go to workers."""

    def found(self: Registry, component_id: str) -> Component[Any] | None:
        component = find(self, component_id)
        kind = type(component)
        ours = kind.__module__.startswith("tests.") and kind.resume is Component.resume
        if component and ours and component.execution is Execution.INLINE:
            component.execution = Execution.THREAD  # type: ignore[misc]
        return component

    return found
