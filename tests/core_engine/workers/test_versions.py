"""Engine and worker of different versions: no step is carried out by the wrong one, and both say why."""

from __future__ import annotations

import contextlib

import pytest

from core_engine.workers import office
from core_engine.workers.wire import speaks
from tests.core_engine.workers.conftest import Plant
from tests.support.postgres import PostgresServer
from tests.support.workers import Doors, chain, step, until, worker

OTHER = "flowork 0.0.0, steps 0"


async def test_a_worker_of_another_version_does_not_start_and_says_why(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "speaks", lambda: OTHER)
    async with plant.engine():
        with worker(plant.folder, plant.environment) as late:
            await until(lambda: late.popen.poll() is not None, "the end of the worker")
            assert late.popen.returncode == 73, "not 78: systemd is to start it again when it was updated"
            assert f"The engine is {OTHER}, this worker {speaks()}" in late.text()
            assert "Traceback" not in late.text()


async def test_a_worker_whose_engine_is_updated_takes_nothing_finishes_its_steps_and_ends(
    plant: Plant, web: Doors, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.close("begun")
    with worker(plant.folder, plant.environment) as old:
        async with plant.engine() as engine:
            begun = await plant.start(engine, chain(step(web, "begun", method="POST"), step(web, "then")))
            await web.until("begun")
        monkeypatch.setattr(office, "speaks", lambda: OTHER)
        async with plant.engine() as engine:
            await until(lambda: "It takes no more steps" in old.text(), "the notice")
            await web.open("begun")
            await until(lambda: old.popen.poll() is not None, "the end of the worker")
            assert old.popen.returncode == 73, old.text()
            with contextlib.closing(postgres.connect()) as database:
                waits = "SELECT 1 FROM step_claim WHERE run = %s AND node = 'then' AND state = 'READY'"
                await until(lambda: database.execute(waits, (begun,)).fetchone() is not None, "the next step")
            assert web.came == {"begun": 1}
            await engine.runs.stop(begun, "0x0")


async def test_a_ticket_that_reaches_a_worker_of_another_version_is_left_and_the_run_says_so(
    plant: Plant, web: Doors, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with worker(plant.folder, plant.environment) as old:
        old.wait_until_ready()
        monkeypatch.setattr(office, "speaks", lambda: OTHER)
        monkeypatch.setattr("core_engine.storage.claims.Claims.announce", _silent)
        async with plant.engine() as engine:
            run = await plant.start(engine, chain(step(web, "one")))
            said = "This step waits: a worker of another version"
            await until(lambda: any(said in str(frame) for frame in plant.frames[run]), "the line in the log")
            assert speaks() in str(plant.frames[run])
            assert f"this worker is {speaks()}, its engine {OTHER}" in old.text()
            await engine.runs.stop(run, "0x0")
    assert not web.came


async def _silent(_claims: object) -> None:
    """Stands for an engine that begins at the very moment when the worker has a ticket in its hand."""
