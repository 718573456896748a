"""Runs whose steps real worker processes carry out, over a real Redis and a real PostgreSQL."""

from __future__ import annotations

import os

from tests.core_engine.workers.conftest import Plant
from tests.support.workers import Doors, chain, step, worker


async def test_two_workers_carry_out_a_workflow_and_one_is_killed_in_the_middle(
    plant: Plant, web: Doors
) -> None:
    web.close("second")
    with worker(plant.folder, plant.environment) as one, worker(plant.folder, plant.environment) as two:
        async with plant.engine() as engine:
            run = await plant.start(
                engine, chain(step(web, "first"), step(web, "second"), step(web, "third"))
            )
            await web.until("second")
            holder = next(w for w in (one, two) if web.pids["second"][0] in {p.pid for p in w.processes()})
            holder.kill()
            await web.until("second", 2)
            await web.open("second")
            details = await plant.end(engine, run)
    assert details.run.status == "SUCCEEDED", one.text() + two.text()
    assert web.came == {"first": 1, "second": 2, "third": 1}
    assert os.getpid() not in {pid for pids in web.pids.values() for pid in pids}
