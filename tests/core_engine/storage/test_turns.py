"""The runs looked up in one turn of the loop share a view, in which nothing is missing that the loop has heard of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from core_engine.storage import EngineStore, RunFilter, RunRow, WorkflowRow, Write
from core_engine.storage.schema import prepare
from core_engine.storage.turns import TurnReader
from shared.errors import ErrorCode, FloworkError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EngineStore]:
    store = EngineStore.open(tmp_path)
    yield store
    store.close()


def accepted(store: EngineStore, run_id: str) -> Write:
    number = store.new_run_number()
    row = RunRow(number, run_id, "0x1", None, "EXECUTE", "RUNNING", 1, None, "h", None, 1, 1, 1)
    return Write(run=row, workflow=WorkflowRow("h", b"{}"), refusable=True)


async def test_a_run_is_seen_as_soon_as_its_write_is_told(store: EngineStore) -> None:
    for number in range(20):
        run_id = f"run-{number}"
        told = asyncio.ensure_future(store.write(accepted(store, run_id)))
        while not told.done():
            store.reads.run(run_id)
            await asyncio.sleep(0)
        assert store.reads.run(run_id) is not None
        await told


async def test_a_view_lasts_one_turn_and_no_other_read_has_an_old_one(tmp_path: Path) -> None:
    other = prepare(tmp_path / "engine.db")
    reader = TurnReader.of_file(tmp_path / "engine.db")
    columns = "number, id, started_by, mode, status, started_at, workflow, records, last_seq, status_seq"
    insert = f"INSERT INTO run ({columns}) VALUES (?, ?, 'a', 'EXECUTE', 'RUNNING', 1, 'h', 1, 1, 1)"
    assert reader.run("one") is None
    other.execute(insert, (1, "one"))
    assert reader.run("one") is None, "this turn's view"
    assert [row.id for row in await asyncio.to_thread(reader.runs, RunFilter())] == ["one"]
    assert reader.run("two") is None
    other.execute(insert, (2, "two"))
    assert await asyncio.to_thread(reader.run, "two") is not None, "another thread has no view"
    assert reader.run("three") is None
    other.execute(insert, (3, "three"))
    await asyncio.sleep(0)
    assert reader.run("three") is not None
    other.execute("INSERT INTO workflow VALUES ('h', x'7b7d')")
    assert reader.journal("three").workflow == b"{}"
    reader.close()
    await asyncio.sleep(0)  # the end of the view finds it closed
    with pytest.raises(FloworkError) as caught:
        reader.run("one")
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    other.close()


def test_another_loop_has_a_view_of_its_own(tmp_path: Path) -> None:
    other = prepare(tmp_path / "engine.db")
    reader = TurnReader.of_file(tmp_path / "engine.db")

    async def look() -> RunRow | None:
        return reader.run("one")

    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(look()) is None
    loop.close()  # whatever stood in its line is never done
    other.execute(
        "INSERT INTO run (number, id, started_by, mode, status, started_at, workflow, records, last_seq, status_seq)"
        " VALUES (1, 'one', 'a', 'EXECUTE', 'RUNNING', 1, 'h', 1, 1, 1)"
    )
    assert asyncio.run(look()) is not None
    reader.close()
    other.close()
