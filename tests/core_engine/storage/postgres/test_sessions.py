"""Several processes on one schema: each run has one owner, and who lost its runs writes nothing any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from core_engine.storage import BlobRow, EngineStore, ParkedRow, SegmentRow, WorkflowRow, Write
from core_engine.storage.blobs import blob_name
from core_engine.storage.parts import Taken
from core_engine.storage.postgres.store import PostgresStore, open_postgres
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.storage.test_store import run_row, run_write
from tests.support.engine_stores import target_of
from tests.support.postgres import PostgresServer

LEASE = 1.0


@dataclass
class Process:
    """One process's store, and what it heard."""

    store: PostgresStore
    heard: list[Taken] = field(default_factory=list)
    lost: list[FloworkError] = field(default_factory=list)
    news: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> Process:
        def taken(found: Taken) -> None:
            self.heard.append(found)
            if found.runs:
                self.news.set()

        def lost(error: FloworkError) -> None:
            self.lost.append(error)
            self.news.set()

        self.store.watch(taken, lost)
        return self

    def die(self) -> None:
        """Give no sign of life any more, as a process that stands still."""
        self.store._watch.end()


Start = Callable[..., Process]


@pytest.fixture
def start(server: PostgresServer, tmp_path: Path) -> Iterator[Start]:
    made: list[Process] = []

    def begin(name: str, engine: str = "engine-1") -> Process:
        process = Process(open_postgres(target_of(server, tmp_path), tmp_path / name, engine, LEASE))
        made.append(process)
        return process

    yield begin
    for process in made:
        process.store.close()


def open_run(number: int) -> Write:
    return run_write(number, status="RUNNING", finished_at=None)


def further(number: int, record: int = 2) -> Write:
    row = run_row(number, status="RUNNING", finished_at=None, records=record)
    return Write(run=row, segment=SegmentRow.of(number, record, b"[2]"))


async def refusal(store: EngineStore, write: Write) -> FloworkError:
    with pytest.raises(FloworkError) as caught:
        await store.write(write)
    return caught.value


async def test_a_live_process_keeps_its_runs_and_nobody_else_writes_them(start: Start):
    first, second = start("a").watch(), start("b").watch()
    await first.store.write(open_run(1))
    error = await refusal(second.store, further(1))
    assert (error.code, first.store.leads, second.store.leads) == (ErrorCode.CONFLICT, True, False)
    await first.store.write(further(1))
    assert [row.id for row in first.store.reads.unfinished()] == ["run-1"]
    assert second.store.reads.unfinished() == []
    assert second.store.reads.run("run-1") == first.store.reads.run("run-1")
    assert "process" in (second.store.holder("run-1") or "")
    assert first.store.holder("run-1") is None


async def test_one_refused_write_does_not_hold_up_the_others(start: Start):
    first, second = start("a"), start("b")
    await first.store.write(open_run(1))
    told: list[tuple[list[int], ErrorCode | None]] = []
    done = threading.Event()

    def note(writes, error):
        told.append(([write.run.number for write in writes], error and error.code))
        if len(told) == 2:
            done.set()

    second.store.submit([open_run(5), further(1), open_run(6)], note)
    assert done.wait(20)
    assert sorted(told, key=str) == [([1], ErrorCode.CONFLICT), ([5, 6], None)]


async def test_the_runs_of_a_silent_process_go_to_another_one_and_it_writes_nothing_more(start: Start):
    first, second = start("a").watch(), start("b").watch()
    await first.store.write(open_run(1))
    first.die()
    assert second.news.wait(30)
    assert second.heard[-1].runs == [1]
    assert second.store.leads
    assert second.store.epoch > first.store.epoch
    await second.store.write(further(1))
    error = await refusal(first.store, further(1, record=3))
    assert error.code is ErrorCode.INTERNAL
    assert "took its runs over" in error.message
    assert (
        await refusal(first.store, Write(values=(("k", b"v"),), refusable=True))
    ).code is ErrorCode.INTERNAL
    assert first.store.failure is not None
    journal = second.store.archive.journal("run-1")
    assert journal is not None
    assert [first for first, _ in journal.segments] == [1, 2]


async def test_a_process_that_comes_back_hears_that_its_place_is_taken(start: Start):
    first, second = start("a"), start("b").watch()
    assert first.store.leads
    assert not second.store.leads
    deadline = threading.Event()
    while not second.store.leads:
        assert not deadline.wait(0.05)
    first.watch()
    assert first.news.wait(20)
    assert "another one took its runs over" in first.lost[0].message


async def test_a_process_that_ends_hands_over_at_once(start: Start):
    first = start("a")
    await first.store.write(open_run(1))
    await first.store.write(run_write(2, settled=0))
    await first.store.write(run_write(3))
    second = start("b").watch()
    first.store.close()
    assert second.news.wait(20)
    assert second.heard[-1].runs == [1, 2]
    assert [row.id for row in second.store.reads.unsettled()] == ["run-2"]
    await second.store.settle_run("run-2")
    assert second.store.reads.unsettled() == []


async def test_the_same_folder_begins_again_without_waiting_for_the_lease(start: Start, server, tmp_path):
    first = start("a")
    await first.store.write(open_run(1))
    first.store._lock.release()  # as the kernel does for a process that was killed
    second = start("a")
    assert second.store.leads
    assert [row.id for row in second.store.reads.unfinished()] == ["run-1"]
    assert (await refusal(first.store, further(1))).code is ErrorCode.INTERNAL
    second.store.close()
    first.store._lock = second.store._lock = _NoLock()


class _NoLock:
    def release(self) -> None:
        pass


async def test_of_two_that_wake_a_waiting_run_one_has_it(start: Start):
    first, second = start("a"), start("b")
    await first.store.write(open_run(1))
    fence = "SELECT fence FROM run_owner WHERE number = 1"
    (before,) = first.store.reads.query(fence)
    await first.store.write(Write(parked=ParkedRow(1, "run-1", None), refusable=True))
    assert first.store.reads.unfinished() == []
    await second.store.write(Write(unparked=(1,), refusable=True))
    error = await refusal(first.store, Write(unparked=(1,), refusable=True))
    assert error.code is ErrorCode.CONFLICT
    assert (await refusal(first.store, further(1))).code is ErrorCode.CONFLICT
    await second.store.write(further(1))
    assert second.store.reads.query(fence) > [before]


async def test_numbers_of_runs_are_never_given_out_twice(start: Start):
    first, second = start("a"), start("b")
    given = [store.new_run_number() for _ in range(3000) for store in (first.store, second.store)]
    assert len(set(given)) == len(given)


async def test_a_payload_stays_while_any_process_uses_it(start: Start):
    first, second = start("a"), start("b")
    content = b"x" * 100_000
    await first.store.write(run_write(1, blobs=(content,)))
    await second.store.write(run_write(2, blobs=(content,)))
    assert await first.store.delete_runs(16) == 1
    assert second.store.blobs.read(blob_name(content)) == content
    assert await second.store.delete_runs(10**15) == 1
    with pytest.raises(FloworkError, match="missing"):
        first.store.blobs.read(blob_name(content))
    assert first.store.archive.query("SELECT 1 FROM workflow") == []


async def test_another_engine_cannot_use_the_schema_while_one_works_there(start: Start):
    start("a")
    with pytest.raises(FloworkError, match="ENGINE_DATABASE_SCHEMA") as caught:
        start("b", "engine-2")
    assert caught.value.code is ErrorCode.CONFIGURATION


async def test_texts_that_the_server_cannot_hold_do_not_stop_the_journal(start: Start):
    store = start("a").store
    await store.write(run_write(1, error="a\0b"))
    row = store.reads.run("run-1")
    assert row is not None
    assert row.error == "a\N{REPLACEMENT CHARACTER}b"
    await store.write(
        Write(
            run=run_row(2),
            workflow=WorkflowRow("h", b"{}"),
            blobs=(BlobRow(2, "0" * 64, b""),),
            refusable=True,
        )
    )
