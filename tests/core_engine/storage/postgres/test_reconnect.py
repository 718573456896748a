"""The database goes away and comes back: no record is lost, none is written twice, nobody is told too early."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core_engine.storage import RunFilter, SegmentRow, Write
from core_engine.storage.postgres.store import PostgresStore, open_postgres
from core_engine.storage.presets import PresetRow, PresetTable, VersionRow
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.storage.test_store import run_row, run_write
from tests.support.cut_wire import CutWire, cut_wire
from tests.support.engine_stores import target_of
from tests.support.postgres import PostgresServer


@pytest.fixture
def wire(server: PostgresServer) -> Iterator[CutWire]:
    with cut_wire(server.host, server.port) as made:
        yield made


@pytest.fixture
def store(server: PostgresServer, wire: CutWire, tmp_path: Path) -> Iterator[PostgresStore]:
    there = replace(server, port=wire.port)
    made = open_postgres(target_of(there, tmp_path), tmp_path, "engine-1", 1.0)
    yield made
    wire.up()
    made.close()


def record(number: int, first: int, body: bytes = b"[1]") -> Write:
    """A write that may not be refused: a further record of a run."""
    row = run_row(number, status="RUNNING", finished_at=None, records=first)
    return Write(run=row, segment=SegmentRow.of(number, first, body))


def places(store: PostgresStore, run_id: str = "run-1") -> list[int]:
    journal = store.archive.journal(run_id)
    assert journal is not None
    return [first for first, _ in journal.segments]


async def test_connections_that_were_lost_while_nothing_happened_are_opened_again(store, wire: CutWire):
    await store.write(run_write(1, status="RUNNING", finished_at=None))
    wire.cut()
    await store.write(record(1, 2))
    wire.cut()
    await store.put("key", b"value")
    wire.cut()
    assert store.get("key") == b"value"
    assert places(store) == [1, 2]


async def test_what_may_not_be_refused_waits_for_the_database(store, wire: CutWire):
    await store.write(run_write(1, status="RUNNING", finished_at=None))
    wire.down()
    waiting = asyncio.create_task(store.write(record(1, 2)))
    while not store.blocked:  # noqa: ASYNC110 - nobody announces it
        await asyncio.sleep(0.01)
    with pytest.raises(FloworkError) as caught:
        await asyncio.to_thread(store.get, "key")
    assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE
    assert not waiting.done()
    wire.up()
    await asyncio.wait_for(waiting, 30)
    assert places(store) == [1, 2]
    assert not store.blocked


async def test_a_new_run_is_refused_after_some_seconds_and_leaves_nothing(store, wire: CutWire):
    wire.down()
    with pytest.raises(FloworkError) as caught:
        await asyncio.wait_for(store.write(run_write(1)), 60)
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert caught.value.retry_after
    wire.up()
    await store.write(run_write(2))
    assert [row.id for row in store.reads.runs(RunFilter())] == ["run-2"]


@pytest.mark.parametrize("deliver", [True, False])
async def test_a_commit_in_doubt_is_cleared_up_before_anybody_is_told(store, wire: CutWire, deliver: bool):
    await store.write(run_write(1, status="RUNNING", finished_at=None))
    wire.trap(b"COMMIT", deliver=deliver)
    await asyncio.wait_for(store.write(run_write(2, status="RUNNING", finished_at=None)), 60)
    assert wire.sprung.is_set()
    wire.trap(b"COMMIT", deliver=deliver)
    await asyncio.wait_for(store.write(record(1, 2)), 60)
    assert wire.sprung.is_set()
    assert places(store) == [1, 2]
    assert places(store, "run-2") == [1]
    assert store.failure is None


async def test_contact_lost_in_the_middle_of_a_transaction_repeats_it_whole(store, wire: CutWire):
    await store.write(run_write(1, status="RUNNING", finished_at=None))
    wire.trap(b"a body to be known by", deliver=False)
    await asyncio.wait_for(store.write(record(1, 2, b'["a body to be known by"]')), 60)
    assert wire.sprung.is_set()
    assert places(store) == [1, 2]


async def test_a_change_of_other_tables_is_tried_again_too(store, wire: CutWire):
    table = PresetTable(store)
    await store.put("key", b"value")
    wire.cut()
    await table.append(PresetRow("p1", "one"), VersionRow(1, b"{}", b"{}"))
    assert [row.name for row in table.all()] == ["one"]


async def test_records_of_a_busy_time_with_many_cuts_are_each_there_once(store, wire: CutWire):
    for number in range(1, 9):
        await store.write(run_write(number, status="RUNNING", finished_at=None))

    async def work(number: int) -> None:
        for first in range(2, 30):
            await store.write(record(number, first))

    async def disturb() -> None:
        for round_ in range(12):
            await asyncio.sleep(0.05)
            if round_ % 3 == 0:
                wire.trap(b"COMMIT", deliver=round_ % 2 == 0)
            else:
                wire.cut()

    await asyncio.wait_for(asyncio.gather(disturb(), *(work(number) for number in range(1, 9))), 100)
    for number in range(1, 9):
        assert places(store, f"run-{number}") == list(range(1, 30))


async def test_a_read_that_comes_after_the_end_opens_no_connection(server: PostgresServer, tmp_path: Path):
    store = open_postgres(target_of(server, tmp_path), tmp_path, "engine-1", 1.0)
    await store.write(run_write(1))
    store.close()
    for read in (lambda: store.get("key"), lambda: store.reads.run("run-1")):
        with pytest.raises(FloworkError) as caught:
            read()
        assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE
