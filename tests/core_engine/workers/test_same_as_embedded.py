"""What a run on workers has in common with one in the engine: order, errors, stops, restarts of the engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.ids import new_id
from tests.core_engine.workers.conftest import Plant
from tests.support.postgres import PostgresServer
from tests.support.redis import RedisServer
from tests.support.workers import Doors, Worker, chain, step, until, worker

ID = f"engine-{new_id()[:8]}"


@pytest.fixture(scope="module")
def crew(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, redis: RedisServer
) -> Iterator[Worker]:
    """One worker for all engines of this module, which have the same id one after the other."""
    folder = tmp_path_factory.mktemp("crew")
    environment = Plant.of(folder, postgres, redis).environment
    with worker(folder, environment, FLOWORK_ENGINE_ID=ID, ENGINE_WORKER_PROCESSES="3") as made:
        yield made


@pytest.fixture
def mill(tmp_path: Path, postgres: PostgresServer, redis: RedisServer, crew: Worker) -> Plant:
    made = Plant.of(tmp_path, postgres, redis)
    made.environment["FLOWORK_ENGINE_ID"] = ID
    return made


async def test_steps_run_elsewhere_and_their_words_come_back_in_order(
    mill: Plant, web: Doors, crew: Worker
) -> None:
    script = {
        "id": "script", "name": "script", "module_id": "run_javascript",
        "config_values": {"code": "for (let i = 0; i < 50; i++) console.log('line ' + i); ({n: 50})"},
    }  # fmt: skip
    async with mill.engine() as engine:
        run = await mill.start(engine, chain(step(web, "before"), script))
        details = await mill.end(engine, run)
    assert details.run.status == "SUCCEEDED", details
    assert "50" in str(details.result)
    frames = mill.frames[run]
    assert [frame["seq"] for frame in frames] == sorted(frame["seq"] for frame in frames)
    said = [text for frame in frames if (text := str(frame.get("message", ""))).startswith("line ")]
    assert said == [f"line {number}" for number in range(50)], frames[-8:]
    assert web.pids["before"][0] not in {0, psutil.Process().pid}


async def test_a_stop_ends_the_process_of_a_running_step(mill: Plant, web: Doors) -> None:
    web.close("slow")
    async with mill.engine() as engine:
        run = await mill.start(engine, chain(step(web, "slow")))
        await web.until("slow")
        await engine.runs.stop(run, "0x0")
        assert (await mill.end(engine, run)).run.status == "STOPPED"
        await until(lambda: not psutil.pid_exists(web.pids["slow"][0]), "the end of the step's process")


async def test_a_failed_step_says_the_same_as_in_the_engine(mill: Plant, web: Doors) -> None:
    workflow = chain(step(web, "x/y"))
    texts = []
    for steps in ("workers", "engine"):
        async with mill.engine(ENGINE_STEPS=steps) as engine:
            details = await mill.end(engine, await mill.start(engine, workflow))
        assert details.run.status == "FAILED"
        texts.append(details.nodes[0].error)
    assert "404" in texts[0]
    assert texts[0] == texts[1]


async def test_a_step_goes_on_while_the_engine_is_restarted(mill: Plant, web: Doors) -> None:
    web.close("long")
    async with mill.engine() as engine:
        run = await mill.start(engine, chain(step(web, "long", method="POST"), step(web, "after")))
        await web.until("long")
    async with mill.engine() as engine:
        await web.open("long")
        details = await mill.end(engine, run)
    assert details.run.status == "SUCCEEDED", details
    assert web.came == {"long": 1, "after": 1}, "a step that must not be repeated was not"


async def test_a_result_that_came_while_the_engine_was_down_is_taken(
    mill: Plant, web: Doors, postgres: PostgresServer
) -> None:
    web.close("long")
    async with mill.engine() as engine:
        run = await mill.start(engine, chain(step(web, "long", method="POST")))
        await web.until("long")
    await web.open("long")
    with contextlib.closing(postgres.connect()) as database:
        done = "SELECT 1 FROM step_claim WHERE run = %s AND state = 'DONE'"
        await until(lambda: database.execute(done, (run,)).fetchone() is not None, "the result")
    async with mill.engine() as engine:
        assert (await mill.end(engine, run)).run.status == "SUCCEEDED"
    assert web.came == {"long": 1}


async def test_what_may_be_repeated_is_when_its_process_dies_and_what_may_not_is_unknown(
    mill: Plant, web: Doors
) -> None:
    web.close("get")
    web.close("post")
    async with mill.engine() as engine:
        runs = [
            await mill.start(engine, chain(step(web, name, method=name.upper()))) for name in ("get", "post")
        ]
        for name in ("get", "post"):
            await web.until(name)
            psutil.Process(web.pids[name][0]).kill()
        await web.until("get", 2)
        await web.open("get")
        repeated, unknown = [await mill.end(engine, run) for run in runs]
    assert repeated.run.status == "SUCCEEDED"
    assert unknown.run.status == "FAILED"
    assert "OUTCOME_UNKNOWN" in unknown.nodes[0].error
    assert "ended without a result" in unknown.nodes[0].error
    assert web.came["post"] == 1
    assert len(set(web.keys["get"])) == 1


async def test_a_step_that_kills_its_process_each_time_is_not_tried_for_ever(mill: Plant, web: Doors) -> None:
    web.close("poison")
    async with mill.engine() as engine:
        run = await mill.start(engine, chain(step(web, "poison")))
        for time in (1, 2, 3):
            await web.until("poison", time)
            psutil.Process(web.pids["poison"][-1]).kill()
        details = await mill.end(engine, run)
    assert details.run.status == "FAILED"
    assert "is not tried again" in details.nodes[0].error
    assert web.came["poison"] == 3


async def test_a_label_keeps_a_step_for_the_workers_that_have_it(
    mill: Plant, web: Doors, postgres: PostgresServer
) -> None:
    async with mill.engine() as engine:
        run = await mill.start(engine, chain(step(web, "free"), step(web, "special", worker="gpu")))
        with contextlib.closing(postgres.connect()) as database:
            waits = "SELECT 1 FROM step_claim WHERE run = %s AND label = 'gpu' AND state = 'READY'"
            await until(lambda: database.execute(waits, (run,)).fetchone() is not None, "the labelled step")
        assert web.came == {"free": 1}
        await engine.runs.stop(run, "0x0")
        inside = await mill.start(engine, chain(step(web, "inside"), queue="engine"))
        assert (await mill.end(engine, inside)).run.status == "SUCCEEDED"
    assert web.pids["inside"] == [psutil.Process().pid], "the workflow asked for the engine itself"
