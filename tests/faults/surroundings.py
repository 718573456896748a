"""Failures around an engine whose end can be timed: of the gateway, its database, the link and Redis."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import httpx
import redis

from shared.ids import new_id
from tests.faults.measuring import Site
from tests.support.redis import redis_server
from tests.support.workers import chain, step

AWAY_SECONDS = 20


async def silent_engine(site: Site) -> float:
    """F20: from the last sign of life of an engine to its being shown as offline."""
    engine = site.crew.engine.popen
    engine.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    try:
        await site.until_shown("offline")
        return time.monotonic() - begun
    finally:
        engine.send_signal(signal.SIGCONT)
        await site.until_shown("online")


async def killed_gateway(site: Site) -> float:
    """F24: from the moment a gateway that was killed is there again to its engine being online."""
    await asyncio.to_thread(site.crew.restart_gateway)
    begun = time.monotonic()
    await site.until_shown("online")
    return time.monotonic() - begun


async def killed_after_change(site: Site) -> float:
    """F25: from the kill of a gateway that has just taken a change to its next process's telling of that."""
    platform, name = site.crew.platform, f"Named {new_id()}"
    answer = await asyncio.to_thread(platform.call, "POST", "/user/engines", {"name": name})
    assert answer.status_code == 201, answer.text
    begun = time.monotonic()
    await asyncio.to_thread(site.crew.restart_gateway)
    await _until(lambda: name in platform.call("GET", "/user/engines").text)
    taken = time.monotonic() - begun
    await site.until_shown("online")
    return taken


async def locked_database(site: Site) -> float:
    """F26: from the moment another program lets go of the database to the first write that is taken."""
    platform, name = site.crew.platform, f"Named {new_id()}"

    def is_taken() -> bool:
        return platform.call("POST", "/user/engines", {"name": name}).status_code == 201

    database = platform.folder / "gateway" / "gateway.db"
    with closing(sqlite3.connect(database, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not await asyncio.to_thread(is_taken)
        other.execute("ROLLBACK")
    begun = time.monotonic()
    await _until(is_taken)
    return time.monotonic() - begun


async def gateway_away(site: Site) -> float:
    """F27: from the moment a gateway that was away for a while is there again to its engine being online."""
    crew = site.crew
    await asyncio.to_thread(crew.gateway.stop)
    await asyncio.sleep(AWAY_SECONDS)
    crew.gateway = await asyncio.to_thread(crew.platform.start_gateway)
    begun = time.monotonic()
    await site.until_shown("online")
    return time.monotonic() - begun


async def emptied_redis(site: Site) -> float:
    """F31: from the moment an emptied Redis is there again to the end of a step that was announced before."""
    for worker in site.crew.workers:
        worker.kill()
    run = await site.start(chain(step(site.doors, f"announced-{new_id()}")))
    _end_redis(site)
    await _begin_redis(site)
    begun = time.monotonic()
    for number in range(len(site.crew.workers)):
        await asyncio.to_thread(site.crew.replace_worker, number)
    await site.until_ended(run)
    return time.monotonic() - begun


async def redis_away(site: Site) -> float:
    """F32: from the moment Redis is there again to the end of a run that was accepted while it was away."""
    _end_redis(site)
    run = await site.start(chain(step(site.doors, f"accepted-{new_id()}")))
    await asyncio.sleep(AWAY_SECONDS)
    await _begin_redis(site)
    begun = time.monotonic()
    await site.until_ended(run)
    return time.monotonic() - begun


async def full_redis(site: Site) -> float:
    """F33: from the moment Redis has room again to the end of a run that was accepted while it had none."""
    await asyncio.to_thread(_tell_redis, site, "maxmemory", "1")
    run = await site.start(chain(step(site.doors, f"accepted-{new_id()}")))
    await asyncio.sleep(AWAY_SECONDS)
    assert (await site.ask("get_run", job_id=run))["run"]["status"] == "RUNNING"
    await asyncio.to_thread(_tell_redis, site, "maxmemory", "0")
    begun = time.monotonic()
    await site.until_ended(run)
    return time.monotonic() - begun


def _tell_redis(site: Site, name: str, value: str) -> None:
    server = site.crew.redis
    assert server
    with closing(redis.Redis.from_url(server.url)) as client:
        assert client.config_set(name, value)


def _end_redis(site: Site) -> None:
    assert site.crew.redis
    os.kill(site.crew.redis.pid, signal.SIGKILL)


async def _begin_redis(site: Site) -> None:
    """Start an empty one where the last one was."""
    old = site.crew.redis
    assert old
    folder = site.crew.platform.folder / f"redis-{new_id()}"
    folder.mkdir()
    running = redis_server(folder, old.password, old.port)
    site.crew.redis = await asyncio.to_thread(site.guests.enter_context, running)


async def _until(probe: Callable[[], bool]) -> None:
    async with asyncio.timeout(180):
        while True:
            try:
                if await asyncio.to_thread(probe):
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
