"""Two run services on one database: what one leaves, the other goes on with while it works on its own runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from core_engine.storage import EngineStore
from core_engine.storage.parts import Taken
from core_engine.storage.postgres.store import open_postgres
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, chain, eventually
from tests.support.engine_stores import Schemas


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
