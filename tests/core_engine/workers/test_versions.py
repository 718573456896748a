"""Engine and worker of different versions: no step is carried out by the wrong one, and both say why."""

from __future__ import annotations

import contextlib

import pytest

from core_engine.storage.claims import Claims
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


async def test_a_worker_whose_engine_is_updated_leaves_new_steps_finishes_its_own_and_ends(
    plant: Plant, web: Doors, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.close("begun")
    with worker(plant.folder, plant.environment) as old:
        async with plant.engine() as engine:
            begun = await plant.start(engine, chain(step(web, "begun", method="POST"), step(web, "then")))
            await web.until("begun")
            waits = await plant.start(engine, chain(step(web, "waits", worker="tape")))
            await until(lambda: spoken(postgres, waits, "waits") == speaks(), "the claim that nobody takes")
        announce = Claims.announce
        monkeypatch.setattr(office, "speaks", lambda: OTHER)
        monkeypatch.setattr(Claims, "announce", _silent)
        async with plant.engine() as engine:
            left = await plant.start(engine, chain(step(web, "left")))
            said = f"a worker of another version ({speaks()}) left it"
            await until(lambda: said in str(plant.frames[left]), "the line in the run's log")
            # the engine reads the note before the worker has written its own line
            why = f"this worker is {speaks()}, its engine {OTHER}"
            await until(lambda: why in old.text(), "the line in the worker's log")
            await announce(engine._workers.claims)
            await until(lambda: "It takes no more steps" in old.text(), "the notice")
            await web.open("begun")
            await until(lambda: old.popen.poll() is not None, "the end of the worker")
            assert old.popen.returncode == 73, old.text()
            await until(lambda: spoken(postgres, begun, "then") == OTHER, "the next step")
            await until(lambda: spoken(postgres, waits, "waits") == OTHER, "what is for new workers now")
            for run in (begun, left, waits):
                await engine.runs.stop(run, "0x0")
    assert web.came == {"begun": 1}


def spoken(postgres: PostgresServer, run: str, node: str) -> str | None:
    """Return the version for which a step waits."""
    with contextlib.closing(postgres.connect()) as database:
        query = "SELECT speaks FROM step_claim WHERE run = %s AND node = %s AND state = 'READY'"
        row = database.execute(query, (run, node)).fetchone()
    return row[0] if row else None


async def _silent(_claims: object) -> None:
    """Stands for an engine that begins at the very moment when the worker has a ticket in its hand."""
