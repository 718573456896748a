"""Two run services on one database: what one leaves, the other goes on with while it works on its own runs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from core_engine.standby import Standby
from core_engine.storage import EngineStore
from core_engine.storage.parts import Taken
from core_engine.storage.postgres.store import open_postgres
from core_engine.storage.postgres.target import Target
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, chain, eventually
from tests.support.cut_wire import cut_wire
from tests.support.engine_stores import Schemas
from tests.support.postgres import PostgresServer


async def test_runs_that_one_leaves_end_in_the_other_and_its_own_are_not_disturbed(
    schemas: Schemas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    target = schemas.target(tmp_path)
    monkeypatch.setattr(EngineStore, "open", lambda folder: open_postgres(target, folder, lease=1.0))
    first, second = Bench(tmp_path / "a", Registry()), Bench(tmp_path / "b", Registry())
    heard: asyncio.Queue[Taken] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    await first.start(chain(2, "gate"), "left")
    await second.start(chain(1, "gate"), "own")
    for shop in (first, second):
        await asyncio.wait_for(shop.registry["gate"].arrived.wait(), 30)
    with pytest.raises(FloworkError) as caught:
        await second.runs.pause("left", OWNER)
    assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE
    await first.close()
    second.store.watch(lambda taken: loop.call_soon_threadsafe(heard.put_nowait, taken), lambda _: None)
    taken = await asyncio.wait_for(heard.get(), 30)
    assert await second.runs.take_over(frozenset(taken.runs)) == 1
    assert second.runs.open_runs == 2
    second.registry["gate"].open.set()
    for run_id in ("left", "own"):
        await eventually(lambda run_id=run_id: second.store.reads.run(run_id).status == "SUCCEEDED")
    assert second.store.reads.query("SELECT number FROM run_owner") == []
    await second.close()


async def test_an_outage_in_the_middle_of_it_is_waited_out_and_no_run_is_held(
    schemas: Schemas, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The database goes away when the journal of a run that was left is about to be read."""
    target = schemas.target(tmp_path)
    with cut_wire(postgres.host, postgres.port) as wire:
        through_the_wire = Target.of(replace(postgres, port=wire.port).url, target.schema)
        monkeypatch.setattr(EngineStore, "open", lambda folder: open_postgres(target, folder, lease=1.0))
        first = Bench(tmp_path / "a", Registry())
        await first.start(chain(2, "gate"), "left")
        await asyncio.wait_for(first.registry["gate"].arrived.wait(), 30)
        monkeypatch.setattr(
            EngineStore, "open", lambda folder: open_postgres(through_the_wire, folder, lease=6.0)
        )
        second = Bench(tmp_path / "b", Registry())
        standby, lost = Standby(second.store), []
        wire.trap(b"REPEATABLE READ READ ONLY", deliver=False, down=True)
        await standby.wait(asyncio.Event())
        standby.tell(second.runs.take_over, lost.append)
        await first.close()
        assert await asyncio.to_thread(wire.sprung.wait, 60)
        with pytest.raises(FloworkError) as caught:
            await asyncio.to_thread(second.store.archive.journal, "left")
        assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE
        wire.up()
        second.registry["gate"].open.set()
        await eventually(lambda: second.store.reads.run("left").status == "SUCCEEDED")
        assert not lost
        await standby.close()
        await second.close()
