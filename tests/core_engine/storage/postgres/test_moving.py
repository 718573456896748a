"""An engine that had files goes on in the database where it stood, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_engine.storage import BlobRow, EngineStore, ParkedRow, RunFilter, Write
from core_engine.storage.blobs import blob_name
from core_engine.storage.postgres.store import open_postgres
from core_engine.storage.presets import PresetRow, PresetTable, VersionRow
from core_engine.storage.triggers import FireRow, Remembered, TriggerTable
from core_engine.storage.variables import VariableRow, VariableTable
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.storage.test_store import run_row, run_write
from tests.support.engine_stores import target_of
from tests.support.postgres import PostgresServer

LARGE = b"x" * 100_000


async def fill(folder: Path) -> None:
    store = EngineStore.open(folder)
    await store.write(run_write(1, blobs=(LARGE,)))
    await store.write(run_write(2, status="RUNNING", finished_at=None, error="zero \0 byte"))
    await store.write(run_write(3, status="PAUSED", finished_at=None))
    await store.write(Write(parked=ParkedRow(3, "run-3", 5), refusable=True))
    await store.write(run_write(4, settled=0))
    await store.put("owner", b"0xabc")
    await store.remember([(b"key", 10**15)])
    await PresetTable(store).append(PresetRow("p1", "one"), VersionRow(1, b"{}", b"{}"))
    await VariableTable(store).put(VariableRow("me", "name", b"{}"))
    await TriggerTable(store).remember(Remembered(fires=[FireRow("f1", "r", "", 1, 2, 3, b"{}")]))
    store.close()


async def test_everything_is_there_and_unfinished_runs_go_on(server: PostgresServer, tmp_path: Path):
    await fill(tmp_path)
    store = open_postgres(target_of(server, tmp_path), tmp_path)
    assert [row.id for row in store.reads.runs(RunFilter())] == ["run-4", "run-3", "run-2", "run-1"]
    assert store.blobs.read(blob_name(LARGE)) == LARGE
    assert [row.id for row in store.reads.unfinished()] == ["run-2"]
    assert [row.id for row in store.reads.unsettled()] == ["run-4"]
    assert store.archive.query("SELECT id FROM parked") == [("run-3",)]
    assert (store.get("owner"), store.replay_keys(0)) == (b"0xabc", [(b"key", 10**15)])
    assert PresetTable(store).newest("p1") == VersionRow(1, b"{}", b"{}")
    assert VariableTable(store).all() == [VariableRow("me", "name", b"{}")]
    triggers = TriggerTable(store)
    await triggers.remember(Remembered(fires=[FireRow("f2", "r", "", 1, 2, 3, b"{}")]))
    assert [row.run_id for row in triggers.fires()] == ["f1", "f2"]
    assert store.new_run_number() > 4
    journal = store.archive.journal("run-1")
    assert journal is not None
    assert journal.segments == [(1, b"[]")]
    await store.put("owner", b"0xdef")
    store.close()
    again = open_postgres(target_of(server, tmp_path), tmp_path)
    assert again.get("owner") == b"0xdef", "the files are brought over once"
    again.close()


async def test_a_damaged_payload_file_brings_nothing_over_by_halves(server: PostgresServer, tmp_path: Path):
    await fill(tmp_path)
    (file,) = (tmp_path / "blobs").glob("??/*")
    file.write_bytes(b"other")
    target = target_of(server, tmp_path)
    with pytest.raises(FloworkError) as caught:
        open_postgres(target, tmp_path)
    assert caught.value.code is ErrorCode.JOURNAL_CORRUPT
    file.write_bytes(LARGE)
    store = open_postgres(target, tmp_path)
    assert store.reads.run("run-1") == run_row(1)
    await store.write(Write(blobs=(BlobRow(2, blob_name(LARGE), LARGE),), refusable=True))
    store.close()
