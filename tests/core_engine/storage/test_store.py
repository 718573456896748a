"""The storage on a real disk: durability, refusals, damage and deletion."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from core_engine.storage import BlobRow, EngineStore, RunFilter, RunRow, SegmentRow, WorkflowRow, Write
from core_engine.storage.blobs import blob_name
from shared.errors import ErrorCode, FloworkError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EngineStore]:
    made = EngineStore.open(tmp_path / "engine")
    yield made
    made.close()


def run_row(number: int, **changes: object) -> RunRow:
    row = RunRow(
        number=number, id=f"run-{number}", started_by="0xa", preset=None, mode="EXECUTE", status="SUCCEEDED",
        started_at=number * 10, finished_at=number * 10 + 5, workflow="w" * 64, error=None, records=2, last_seq=4,
        status_seq=4,
    )  # fmt: skip
    return row._replace(**changes)


def run_write(number: int, body: bytes = b"[]", *, blobs: tuple[bytes, ...] = (), **changes: object) -> Write:
    return Write(
        run=run_row(number, **changes),
        segment=SegmentRow.of(number, 1, body),
        workflow=WorkflowRow("w" * 64, b"{}"),
        blobs=tuple(BlobRow(number, blob_name(content), content) for content in blobs),
        refusable=True,
    )


async def perform(store: EngineStore, sql: str) -> None:
    await store._performed(lambda link: link.execute(sql).fetchall() and None)


async def test_values_survive_a_restart(tmp_path: Path):
    store = EngineStore.open(tmp_path)
    await store.put("owner", b"0xabc")
    await store.put("owner", b"0xdef")
    store.close()
    again = EngineStore.open(tmp_path)
    assert (again.get("owner"), again.get("other"), again.epoch) == (b"0xdef", None, 2)
    again.close()


async def test_replay_keys_survive_until_they_expire(tmp_path: Path):
    store = EngineStore.open(tmp_path)
    await store.remember([(b"one", 1000), (b"two", 2000)])
    await store.remember([(b"one", 1000)])
    store.close()
    again = EngineStore.open(tmp_path)
    assert again.replay_keys(now_ms=999) == [(b"one", 1000), (b"two", 2000)]
    await again.forget_replay(now_ms=1000)
    assert again.replay_keys(now_ms=0) == [(b"two", 2000)]
    again.close()


async def test_a_run_is_updated_by_its_later_writes(store: EngineStore):
    await store.write(run_write(1, status="RUNNING", finished_at=None))
    assert [row.id for row in store.reads.unfinished()] == ["run-1"]
    update = Write(run=run_row(1, records=5), segment=SegmentRow.of(1, 3, b"[1]"))
    await store.write(update)
    journal = store.archive.journal("run-1")
    assert journal is not None
    assert journal.segments == [(1, b"[]"), (3, b"[1]")]
    assert (journal.run.status, journal.run.records, journal.workflow) == ("SUCCEEDED", 5, b"{}")
    assert store.reads.unfinished() == []
    assert store.archive.journal("run-2") is None


async def test_a_taken_run_id_is_given_back_and_the_rest_is_stored(store: EngineStore):
    await store.write(run_write(1))
    outcomes: list[tuple[list[str], ErrorCode | None]] = []
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def note(writes, error):
        outcomes.append(([write.run.id for write in writes], error and error.code))
        if sum(len(ids) for ids, _ in outcomes) == 3:
            loop.call_soon_threadsafe(done.set)

    store.submit([run_write(2), run_write(3, id="run-1"), run_write(4)], note)
    await done.wait()
    assert sorted(outcomes, key=str) == [(["run-1"], ErrorCode.CONFLICT), (["run-2", "run-4"], None)]
    assert [row.number for row in store.reads.runs(RunFilter())] == [4, 2, 1]


async def test_nothing_is_half_written_when_the_disk_is_full(store: EngineStore):
    await store.write(run_write(1))
    (pages,) = store.reads._connection.execute("PRAGMA page_count").fetchone()
    await perform(store, f"PRAGMA max_page_count = {pages}")
    with pytest.raises(FloworkError) as caught:
        await store.write(run_write(2, b"x" * 200_000))
    assert caught.value.code is ErrorCode.STORAGE_FULL
    assert caught.value.meaning.http == 507
    assert store.reads.run("run-2") is None
    assert not store.blocked


async def test_a_write_that_may_not_be_refused_waits_for_room(store: EngineStore):
    await store.write(run_write(1, status="RUNNING", finished_at=None))
    (pages,) = store.reads._connection.execute("PRAGMA page_count").fetchone()
    await perform(store, f"PRAGMA max_page_count = {pages}")
    firm = Write(run=run_row(1, records=3), segment=SegmentRow.of(1, 2, b"y" * 200_000))
    waiting = asyncio.create_task(store.write(firm))
    await asyncio.sleep(0)
    with pytest.raises(FloworkError):
        await store.write(run_write(2, b"x" * 200_000))
    assert store.blocked
    assert not waiting.done()
    await perform(store, "PRAGMA max_page_count = 1000000")
    await asyncio.wait_for(waiting, 10)
    assert not store.blocked
    journal = store.archive.journal("run-1")
    assert journal is not None
    assert [first for first, _ in journal.segments] == [1, 2]


async def test_what_still_waits_for_room_at_the_end_is_told_so(tmp_path: Path):
    store = EngineStore.open(tmp_path)
    (pages,) = store.reads._connection.execute("PRAGMA page_count").fetchone()
    await perform(store, f"PRAGMA max_page_count = {pages}")
    waiting = asyncio.create_task(store.write(Write(segment=SegmentRow.of(1, 2, b"y" * 200_000))))
    await asyncio.sleep(0)
    await asyncio.to_thread(store.close)
    with pytest.raises(FloworkError) as caught:
        await waiting
    assert caught.value.code is ErrorCode.STORAGE_FULL


class FailingSync:
    """A connection whose commits fail as on a disk that cannot sync."""

    def __init__(self, link: sqlite3.Connection) -> None:
        self._link = link

    @property
    def in_transaction(self) -> bool:
        return self._link.in_transaction

    def execute(self, sql: str, *parameters: object) -> sqlite3.Cursor:
        if sql == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return self._link.execute(sql, *parameters)

    def close(self) -> None:
        self._link.close()


async def test_a_failed_sync_is_final(tmp_path: Path):
    store, told = EngineStore.open(tmp_path), []
    store.watch(lambda _taken: None, told.append)
    await store.put("before", b"1")
    assert not told
    real = store._writer._connection
    store._writer._connection = FailingSync(real)
    with pytest.raises(FloworkError) as caught:
        await store.put("first", b"1")
    assert caught.value.code is ErrorCode.INTERNAL
    store._writer._connection = real
    for call in (store.put("second", b"1"), store.forget_replay(0)):
        with pytest.raises(FloworkError) as caught:
            await call
        assert caught.value.code is ErrorCode.INTERNAL
    assert told == [store.failure], "whoever wrote last, the engine is told at once, and once"
    store.close()
    again = EngineStore.open(tmp_path)
    assert [again.get(key) for key in ("before", "first", "second")] == [b"1", None, None]
    again.close()


async def test_a_failed_sync_is_final_also_when_history_is_deleted(tmp_path: Path):
    store = EngineStore.open(tmp_path)
    real = store._writer._connection
    store._writer._connection = FailingSync(real)
    with pytest.raises(FloworkError):
        await store._performed(lambda link: [link.execute("BEGIN IMMEDIATE"), link.execute("COMMIT")])
    store._writer._connection = real
    assert store.failure is not None
    told: list[FloworkError] = []
    store.watch(lambda _taken: None, told.append)
    assert told == [store.failure], "also who asks later"
    with pytest.raises(FloworkError) as caught:
        await store.put("later", b"1")
    assert caught.value.code is ErrorCode.INTERNAL
    store.close()


async def test_a_torn_tail_is_cut_and_everything_synced_before_is_there(tmp_path: Path):
    store = EngineStore.open(tmp_path / "engine")
    wal = tmp_path / "engine" / "engine.db-wal"
    sizes = []
    for number in range(6):
        await store.put(f"key-{number}", b"v" * 3000)
        sizes.append(wal.stat().st_size)
    assert sizes == sorted(set(sizes))
    copies = []
    for number, size in enumerate(sizes):
        for torn in (size, size + 1, (size + [*sizes, size + 8000][number + 1]) // 2):
            copy = tmp_path / f"copy-{number}-{torn}"
            copy.mkdir()
            shutil.copy(tmp_path / "engine" / "engine.db", copy)
            (copy / "engine.db-wal").write_bytes(wal.read_bytes()[:torn])
            copies.append((number, copy))
    store.close()
    for number, copy in copies:
        again = EngineStore.open(copy)
        assert [again.get(f"key-{i}") is not None for i in range(6)] == [i <= number for i in range(6)]
        again.close()


async def test_a_flipped_bit_is_found_and_named(store: EngineStore, tmp_path: Path):
    await store.write(run_write(1, b"first"))
    await store.write(run_write(2, b"second"))
    link = sqlite3.connect(tmp_path / "engine" / "engine.db")
    link.execute("UPDATE segment SET body = ? WHERE body = ?", (b"sicond", b"second"))
    link.commit()
    link.close()
    with pytest.raises(FloworkError, match="Segment 1 of the journal of run run-2") as caught:
        store.archive.journal("run-2")
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    assert store.archive.journal("run-1") is not None


async def test_deletion_takes_files_that_nobody_else_uses(store: EngineStore, tmp_path: Path):
    mine, shared = b"m" * 100, b"s" * 100
    await store.write(run_write(1, blobs=(mine, shared)))
    await store.write(run_write(2, blobs=(shared,)))
    await store.write(run_write(3, status="RUNNING", finished_at=None, blobs=(b"kept",)))
    assert await store.delete_runs(before_ms=16) == 1
    assert store.archive.journal("run-1") is None
    assert set(store.blobs.names()) == {blob_name(shared), blob_name(b"kept")}
    assert await store.delete_runs(before_ms=10**9) == 1
    assert set(store.blobs.names()) == {blob_name(b"kept")}
    link = sqlite3.connect(tmp_path / "engine" / "engine.db")
    assert link.execute("SELECT count(*) FROM segment").fetchone() == (1,)
    assert link.execute("SELECT count(*) FROM workflow").fetchone() == (1,)
    link.close()


async def test_files_without_a_run_are_swept_at_the_start(tmp_path: Path):
    store = EngineStore.open(tmp_path)
    await store.write(run_write(1, blobs=(b"kept",)))
    store.blobs.write(blob_name(b"orphan"), b"orphan")
    store.close()
    again = EngineStore.open(tmp_path)
    assert list(again.blobs.names()) == [blob_name(b"kept")]
    assert again.new_run_number() == 2
    again.close()


async def test_a_newer_database_and_a_file_that_is_none_are_refused(tmp_path: Path):
    store = EngineStore.open(tmp_path / "newer")
    store.close()
    link = sqlite3.connect(tmp_path / "newer" / "engine.db")
    link.execute("PRAGMA user_version = 99")
    link.close()
    with pytest.raises(FloworkError, match="newer engine") as caught:
        EngineStore.open(tmp_path / "newer")
    assert caught.value.code is ErrorCode.CONFIGURATION
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "engine.db").write_bytes(b"this is no database " * 500)
    with pytest.raises(FloworkError) as caught:
        EngineStore.open(tmp_path / "junk")
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    (tmp_path / "junk" / "engine.db").unlink()
    EngineStore.open(tmp_path / "junk").close()


async def test_files_are_private(store: EngineStore, tmp_path: Path):
    await store.put("x", b"y")
    folder = tmp_path / "engine"
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_file()}
    assert set(modes.values()) == {0o600}, modes


async def test_many_writers_share_a_sync(store: EngineStore):
    commits = 0
    real = store._writer._attempt

    def counted(writes):
        nonlocal commits
        commits += 1
        return real(writes)

    store._writer._attempt = counted
    await asyncio.gather(*(store.put(f"k{i}", b"v") for i in range(500)))
    assert commits < 250
    assert store.get("k499") == b"v"


async def test_a_job_can_be_done_from_another_thread(tmp_path: Path) -> None:
    store = EngineStore.open(tmp_path)
    try:
        count = await asyncio.to_thread(
            store.perform_blocking, lambda link: link.execute("SELECT 7").fetchone()[0], 30
        )
        assert count == 7
        with pytest.raises(FloworkError) as caught:
            await asyncio.to_thread(store.perform_blocking, lambda link: link.execute("SELECT nothing"), 30)
        assert caught.value.code is ErrorCode.INTERNAL
        assert await store.perform(lambda link: link.execute("SELECT 8").fetchone()[0]) == 8
    finally:
        store.close()
