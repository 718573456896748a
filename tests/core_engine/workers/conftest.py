"""Where an engine and its workers meet; each test has an engine with an id of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core_engine.app import Engine, running
from core_engine.kernel.ports import StartRun
from shared.ids import new_id
from tests.core_engine.engine import OWNER, settings
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.workers import SECRET, Doors, doors

FINAL = {"SUCCEEDED", "FAILED", "STOPPED"}


@dataclass
class Plant:
    """Where an engine and its workers meet; ``environment`` is what both are given."""

    folder: Path
    environment: dict[str, str]
    frames: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path, postgres: PostgresServer, redis: RedisServer) -> Plant:
        environment = {
            "FLOWORK_ENGINE_ID": f"engine-{new_id()[:8]}",
            "FLOWORK_DATA_DIR": str(folder),
            "GATEWAY_URL": "",
            "ENGINE_STEPS": "workers",
            "ENGINE_WORKER_SECRET": SECRET,
            "ENGINE_REDIS_URL": redis.url,
            "DATABASE_URL": postgres.url,
            "ENGINE_DATABASE_SCHEMA": f"engine_{new_id()[:8]}",
            "ENGINE_WORKER_LEASE_SECONDS": "4",
            "ENGINE_WORKER_RESEND_SECONDS": "2",
            "ENGINE_WORKER_DRAIN_SECONDS": "10",
            "ENGINE_HTTP_PRIVATE_NETWORKS": "127.0.0.0/8",
        }
        return cls(folder, environment)

    @asynccontextmanager
    async def engine(self, **more: str) -> AsyncIterator[Engine]:
        async with running(settings(self.folder, **{**self.environment, **more})) as engine:
            yield engine

    async def start(self, engine: Engine, workflow: dict[str, Any], **more: Any) -> str:
        run_id = new_id()
        frames = self.frames.setdefault(run_id, [])
        request = StartRun(run_id, workflow, OWNER.address.lower(), **more)
        await engine.runs.start(request, frames.extend)
        return run_id

    async def end(self, engine: Engine, run_id: str, seconds: float = 60) -> Any:
        """Wait for a run's end and return its details."""
        async with asyncio.timeout(seconds):
            while True:
                details = await engine.runs.details(run_id)
                if details.run.status.value in FINAL:
                    return details
                await asyncio.sleep(0.02)


@pytest.fixture
def plant(tmp_path: Path, postgres: PostgresServer, redis: RedisServer) -> Plant:
    return Plant.of(tmp_path, postgres, redis)


@pytest.fixture
async def web() -> AsyncIterator[Doors]:
    async with doors() as made:
        yield made
