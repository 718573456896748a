"""What happens to steps when Redis, the network or a worker fails in each of the ways that lose or repeat messages."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import redis as redis_client

from core_engine.workers import executor
from core_engine.workers.broker import STEP, make_app, queue_name
from core_engine.workers.consumer import canary_key
from tests.core_engine.engine import OWNER
from tests.core_engine.workers.conftest import Plant
from tests.support.postgres import PostgresServer
from tests.support.redis import redis_server
from tests.support.tcp import serving
from tests.support.workers import Doors, chain, step, until, worker


async def test_redis_may_be_away_full_or_emptied(
    plant: Plant, web: Doors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F31, F32, F33: what is accepted runs, once, as soon as Redis takes tickets again; the run's log says why not."""
    monkeypatch.setattr(executor, "_UNCLAIMED_WARNING", 0.0)
    with redis_server(tmp_path) as first:
        port = first.port
    plant.environment["ENGINE_REDIS_URL"] = first.url
    async with plant.engine() as engine:
        away = await plant.start(engine, chain(step(web, "away")))
        assert engine.runs.summary(away).status.value == "RUNNING", "accepted without Redis"
        said = "the message broker (Redis) does not answer"
        await until(lambda: said in str(plant.frames[away]), "the line in the run's log")
        with redis_server(tmp_path, port=port) as second, redis_client.Redis(port=port) as client:
            queue = queue_name(plant.environment["FLOWORK_ENGINE_ID"], "default", "")
            await until(lambda: client.llen(queue) > 0, "the ticket that could not be sent at first")
            client.config_set("maxmemory", "1")
            full = await plant.start(engine, chain(step(web, "full")))
            psutil.Process(second.pid).kill()
        with contextlib.ExitStack() as stack:
            third = stack.enter_context(redis_server(tmp_path, port=port))
            only = stack.enter_context(worker(plant.folder, plant.environment))
            for run in (away, full):
                assert (await plant.end(engine, run)).run.status == "SUCCEEDED", only.text()
            psutil.Process(third.pid).kill()
            again = await plant.start(engine, chain(step(web, "again")))
            stack.enter_context(redis_server(tmp_path, port=port))
            assert (await plant.end(engine, again)).run.status == "SUCCEEDED", only.text()
    assert web.came == {"away": 1, "full": 1, "again": 1}


async def test_a_worker_that_hangs_with_a_ticket_is_restarted_and_the_ticket_sent_again(
    plant: Plant, web: Doors
) -> None:
    """F34, F38: the ticket was popped by a process that never saw it; the canary finds the process out."""
    with worker(plant.folder, plant.environment, ENGINE_WORKER_CANARY_SECONDS="2") as only:
        only.wait_until_ready()
        with redis_client.Redis.from_url(plant.environment["ENGINE_REDIS_URL"]) as client:
            await until(lambda: client.exists(canary_key(only.name)) == 1, "the first trial message's answer")
        deaf = only.consumer()
        deaf.send_signal(signal.SIGSTOP)
        async with plant.engine() as engine:
            run = await plant.start(engine, chain(step(web, "once", method="POST")))
            assert (await plant.end(engine, run, 90)).run.status == "SUCCEEDED", only.text()
        assert not deaf.is_running()
        assert "it is started again" in only.text()
    assert web.came == {"once": 1}


async def test_any_number_of_tickets_old_forged_or_doubled_gives_one_execution(
    plant: Plant, web: Doors, postgres: PostgresServer
) -> None:
    """F35, A110, A111, and no secret in what Redis and PostgreSQL hold."""
    web.close("held")
    async with plant.engine() as engine:
        url = plant.environment["ENGINE_REDIS_URL"]
        queue = queue_name(plant.environment["FLOWORK_ENGINE_ID"], "default", "")
        held = step(web, "held")
        held["config_values"]["url"] += "?word=a-word-nobody-may-see"
        run = await plant.start(engine, chain(held))
        with redis_client.Redis.from_url(url) as client, contextlib.closing(make_app(url)) as app:
            await until(lambda: client.llen(queue) == 1, "the ticket")
            message = client.lindex(queue, 0)
            assert b"a-word-nobody-may-see" not in message
            genuine = _ticket(message)
            forged = genuine[:-6] + ("AAAAAA" if genuine[-6:] != "AAAAAA" else "BBBBBB")
            for text in [forged, "", "nonsense", 7, *[genuine] * 100]:
                app.send_task(STEP, args=[text], queue=queue)
            with worker(plant.folder, plant.environment) as only:
                await web.until("held")
                with contextlib.closing(postgres.connect()) as database:
                    rows = database.execute(
                        "SELECT request FROM step_claim WHERE run = %s", (run,)
                    ).fetchall()
                assert rows
                assert all(b"a-word-nobody-may-see" not in bytes(row[0]) for row in rows)
                await web.open("held")
                assert (await plant.end(engine, run)).run.status == "SUCCEEDED", only.text()
                for _again in range(10):
                    app.send_task(STEP, args=[genuine], queue=queue)
                await until(lambda: client.llen(queue) == 0, "all tickets to be taken")
                after = await plant.start(engine, chain(step(web, "after")))
                assert (await plant.end(engine, after)).run.status == "SUCCEEDED", only.text()
                assert only.text().count("is no ticket of this engine") == 4
    assert web.came == {"held": 1, "after": 1}


def _ticket(message: bytes) -> str:
    import base64
    import json

    body = json.loads(base64.b64decode(json.loads(message)["body"]))
    return str(body[0][0])


@dataclass
class Cut:
    """A line to PostgreSQL that can be cut without either end hearing of it."""

    port: int = 0
    whole: asyncio.Event = field(default_factory=asyncio.Event)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while part := await reader.read(65536):
                await self.whole.wait()
                writer.write(part)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def cut_to(port: int) -> AsyncIterator[Cut]:
    cut = Cut()
    cut.whole.set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(cut.carry(reader, far_writer), cut.carry(far_reader, writer))
        finally:
            far_writer.transport.abort()

    async with serving(connected) as cut.port:
        yield cut


async def test_a_worker_that_is_cut_off_kills_its_step_before_another_gets_it(
    plant: Plant, web: Doors, postgres: PostgresServer
) -> None:
    """F37."""
    web.close("apart")
    async with cut_to(postgres.port) as cut:
        far = postgres.url.replace(f":{postgres.port}/", f":{cut.port}/")
        with worker(plant.folder, plant.environment, DATABASE_URL=far) as lonely:
            async with plant.engine() as engine:
                run = await plant.start(engine, chain(step(web, "apart")))
                await web.until("apart")
                cut.whole.clear()
                mine = web.pids["apart"][0]
                await until(lambda: not psutil.pid_exists(mine), "the lonely step to be killed")
                with worker(plant.folder, plant.environment) as other:
                    await web.until("apart", 2)
                    cut.whole.set()
                    await web.open("apart")
                    details = await plant.end(engine, run)
                    assert details.run.status == "SUCCEEDED", lonely.text() + other.text()
    assert web.came == {"apart": 2}


async def test_a_worker_that_is_stopped_finishes_what_it_can_and_gives_the_rest_back(
    plant: Plant, web: Doors
) -> None:
    """SIGTERM: no new step, time for those that run, and the rest goes to other workers at once."""
    web.close("long")
    web.close("short")
    with worker(plant.folder, plant.environment, ENGINE_WORKER_DRAIN_SECONDS="3") as old:
        async with plant.engine() as engine:
            short = await plant.start(engine, chain(step(web, "short", method="POST")))
            long = await plant.start(engine, chain(step(web, "long")))
            await web.until("short")
            await web.until("long")
            old.popen.send_signal(signal.SIGTERM)
            late = await plant.start(engine, chain(step(web, "late")))
            await web.open("short")
            assert (await plant.end(engine, short)).run.status == "SUCCEEDED"
            assert old.popen.wait(60) == 0, old.text()
            assert web.came == {"short": 1, "long": 1}
            await web.open("long")
            with worker(plant.folder, plant.environment) as new:
                for run in (long, late):
                    assert (await plant.end(engine, run)).run.status == "SUCCEEDED", new.text()
    assert web.came == {"short": 1, "long": 2, "late": 1}


@pytest.mark.parametrize("queue", ["heavy", "docker"])
async def test_a_worker_serves_only_its_queues(plant: Plant, web: Doors, queue: str) -> None:
    async with plant.engine() as engine:
        run = await plant.start(engine, chain(step(web, "one", queue=queue)))
        with redis_client.Redis.from_url(plant.environment["ENGINE_REDIS_URL"]) as client:
            name = queue_name(plant.environment["FLOWORK_ENGINE_ID"], queue, "")
            await until(lambda: client.llen(name) == 1, "the ticket in its queue")
        await engine.runs.stop(run, "0x0")


_AWAY = """
CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF current_setting('application_name') = 'flowork engine claims' THEN
    RAISE EXCEPTION 'away' USING ERRCODE = 'admin_shutdown';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN old ELSE new END;
END $$;
CREATE TRIGGER away BEFORE UPDATE OR DELETE ON step_claim FOR EACH ROW EXECUTE FUNCTION away();
"""
"""For the engine alone the database is away, as far as claims go that are there."""


async def test_a_run_stopped_while_its_step_is_still_looked_for_ends_at_its_worker_as_soon_as_can_be(
    plant: Plant, web: Doors, postgres: PostgresServer
) -> None:
    web.close("held")
    with worker(plant.folder, plant.environment) as only, contextlib.closing(postgres.connect()) as database:
        async with plant.engine() as engine:
            run = await plant.start(engine, chain(step(web, "held")))
            await web.until("held")
        mine = web.pids["held"][0]
        database.execute(_AWAY)
        try:
            async with plant.engine() as engine:
                office = engine._workers
                assert isinstance(office, executor.WorkerExecutor)
                await until(lambda: bool(office._adopting), "the step to be looked for")
                stopped = await engine.runs.stop(run, OWNER.address.lower())
                assert stopped["status_data"]["status"] == "STOPPED"
                assert not office._adopting
                claims = "SELECT state FROM step_claim WHERE run = %s"
                assert database.execute(claims, (run,)).fetchall() == [("LEASED",)]
                assert psutil.pid_exists(mine)
                database.execute("DROP FUNCTION away CASCADE")
                await until(lambda: not psutil.pid_exists(mine), "the step to be killed", seconds=20)
                assert database.execute(claims, (run,)).fetchall() == []
        finally:
            database.execute("DROP FUNCTION IF EXISTS away CASCADE")
            await web.open("held")
    assert web.came == {"held": 1}, only.text()
