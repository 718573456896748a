"""What an engine and a worker look at before they start, and what they say when it will not do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
import redis as redis_client

from core_engine.storage.claims import Claims, Offer
from core_engine.workers import supervisor
from core_engine.workers.broker import check_redis
from core_engine.workers.wire import speaks
from shared.clock import SystemClock
from shared.errors import FloworkError
from tests.core_engine.engine import settings
from tests.core_engine.workers.conftest import Plant
from tests.support.platform import ROOT
from tests.support.redis import RedisServer, redis_server
from tests.support.workers import until

CASES = [
    ({"DATABASE_URL": ""}, "Worker processes need PostgreSQL"),
    ({"DATABASE_URL": "sqlite:///x.db"}, "Worker processes need PostgreSQL"),
    ({"ENGINE_REDIS_URL": ""}, "Redis: set REDIS_URL"),
    ({"ENGINE_REDIS_URL": "nonsense://x"}, "REDIS_URL is not the address of a Redis"),
    ({"ENGINE_WORKER_SECRET": "short"}, "ENGINE_WORKER_SECRET must have at least 32 characters"),
    ({"DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/x"}, "database|PostgreSQL does not answer"),
]


@pytest.mark.parametrize(("change", "text"), CASES)
async def test_an_engine_says_what_is_missing(plant: Plant, change: dict[str, str], text: str) -> None:
    plant.environment |= change
    with pytest.raises(FloworkError, match=text):
        async with plant.engine():
            pass


@pytest.mark.parametrize(
    ("change", "text"), [({"ENGINE_REDIS_URL": "redis://127.0.0.1:1/0"}, "Redis does not answer")]
)
def test_a_worker_says_what_is_missing(plant: Plant, change: dict[str, str], text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core_engine.workers"],
        env={**plant.environment, **change, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 78, done.stderr
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_says_that_its_port_is_taken(plant: Plant, redis: RedisServer) -> None:
    taken = {"ENGINE_WORKER_HTTP_PORT": str(redis.port), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "core_engine.workers"],
        env={**plant.environment, **taken}, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 78, done.stderr
    assert f"cannot listen on port {redis.port}" in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_worker_that_has_only_long_steps_from_its_start_on_is_ready(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "_START_SECONDS", 0.0)
    own = {**plant.environment, "ENGINE_WORKER_CANARY_SECONDS": "1", "ENGINE_WORKER_PROCESSES": "1"}
    busy = supervisor.Supervisor(settings(plant.folder, **own), own, SystemClock())
    claims = Claims(busy._connection, own["FLOWORK_ENGINE_ID"], speaks())
    await claims.prepare()
    await claims.offer(Offer("long", "run", "node", 1, "step", 1, "default", "", 600, b"request"))
    assert await busy._work.claim("long")
    assert busy._outlook.state == "starting"
    canary = asyncio.create_task(busy._until_deaf(), name="canary that nobody answers")
    try:
        await until(lambda: canary.done() or busy._outlook.state == "ready", "a state")
        assert not canary.done(), "it would be restarted"
    finally:
        canary.cancel()
        await asyncio.gather(canary, return_exceptions=True)
        await busy._connection.close()


def test_a_redis_that_would_lose_tickets_is_refused(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server, redis_client.Redis(port=server.port) as client:
        check_redis(server.url, must_answer=True)
        client.config_set("maxmemory-policy", "allkeys-lru")
        with pytest.raises(FloworkError, match="set noeviction"):
            check_redis(server.url, must_answer=True)


def test_a_database_that_others_use_is_refused(redis: RedisServer) -> None:
    url = redis.url.removesuffix("/0") + "/7"
    with redis_client.Redis.from_url(url) as client:
        client.set("session:of-something-else", "1")
        with pytest.raises(FloworkError, match="Database 7 of Redis is used by something else"):
            check_redis(url, must_answer=True)
        client.flushdb()
        check_redis(url, must_answer=True)
        client.set("session:of-something-else", "1")
        check_redis(url, must_answer=True)


def test_a_wrong_password_is_told(redis: RedisServer) -> None:
    with pytest.raises(FloworkError, match="Redis refuses the password"):
        check_redis(f"redis://:wrong@127.0.0.1:{redis.port}/0", must_answer=True)


def test_a_redis_that_others_can_reach_needs_a_password() -> None:
    with pytest.raises(FloworkError, match="has no password"):
        check_redis("redis://redis.example:6379/0", must_answer=True)


def test_an_engine_starts_without_redis_but_a_worker_does_not() -> None:
    check_redis("redis://127.0.0.1:1/0", must_answer=False)
    with pytest.raises(FloworkError, match="Redis does not answer"):
        check_redis("redis://127.0.0.1:1/0", must_answer=True)
