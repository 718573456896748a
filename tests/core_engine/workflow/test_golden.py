"""Journals of released versions are read for ever: each replays to the state and the events it was made with.

A new version adds a file: ``python -m tests.core_engine.workflow.test_golden golden/<version>.json``. None is
ever changed or removed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core_engine.kernel.payload import Payload
from core_engine.storage import EngineStore, RunRow, SegmentRow, WorkflowRow, Write
from core_engine.workflow.archive import Archive, node_states
from core_engine.workflow.library import Library
from core_engine.workflow.projection import Projection
from tests.core_engine.workflow.test_recovery import MIXED, opened
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, bench, eventually, workflow

GOLDEN = Path(__file__).parent / "golden"


def read(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())


def describe(archive: Archive, run_id: str) -> dict[str, Any]:
    """Return what a stored run amounts to."""
    run, state = archive.load_state(run_id)
    nodes = [node.model_dump(mode="json") for node in node_states(run, state)]
    frames = Projection(run_id, run.prepared.graph, run.row.started_at).frames(run.records)
    outputs = [outputs and msgspec.json.decode(msgspec.json.encode(outputs)) for outputs in state.outputs]
    return {"nodes": nodes, "frames": frames, "outputs": outputs, "status": state.status.value}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
async def test_a_golden_journal_replays_to_the_same_state(path: Path, tmp_path: Path):
    runs = read(path)
    assert len(runs) >= 3
    store = EngineStore.open(tmp_path)
    for number, run in enumerate(runs, 1):
        segments = [SegmentRow.of(number, first, body.encode()) for first, body in run["segments"]]
        row = RunRow(**run["row"])._replace(number=number)
        workflow_row = WorkflowRow(row.workflow, run["workflow"].encode())
        await store.write(Write(run=row, segment=segments[0], workflow=workflow_row))
        for segment in segments[1:]:
            await store.write(Write(segment=segment))
    archive = Archive(store, Library(Registry()))
    for run in runs:
        assert describe(archive, run["row"]["id"]) == run["expected"]
    store.close()


async def record(shop: Bench, run_id: str) -> dict[str, Any]:
    journal = shop.store.archive.journal(run_id)
    assert journal is not None
    return {
        "row": journal.run._asdict(),
        "workflow": journal.workflow.decode(),
        "segments": [(first, body.decode()) for first, body in journal.segments],
        "expected": describe(Archive(shop.store, Library(shop.registry)), run_id),
    }


async def make() -> list[dict[str, Any]]:
    """Run workflows that use every kind of record, and return their journals."""
    with tempfile.TemporaryDirectory() as folder:
        registry = opened()
        async with bench(Path(folder), registry) as shop:
            await shop.run(MIXED, "mixed", initial_payload=Payload({"n": 1}))
            registry["once_gate"].open.clear()
            await shop.start(workflow("a:error>b", a="once_gate", b="talk"), "cut")
            await registry["once_gate"].arrived.wait()
            registry["gate"].open.clear()
            await shop.start(workflow("a>b", a="gate", b="add"), "stopped")
            await registry["gate"].arrived.wait()
            await shop.runs.pause("stopped", OWNER)
            await shop.runs.resume("stopped", OWNER)
            await shop.runs.stop("stopped", OWNER)
            await shop.start(workflow("a>b", a="gate", b="fail"), "again")
        registry["gate"].open.set()
        async with bench(Path(folder), registry) as shop:
            await shop.runs.recover()
            await eventually(lambda: shop.runs.open_runs == 0)
            return [await record(shop, name) for name in ("mixed", "cut", "stopped", "again")]


if __name__ == "__main__":
    made = json.dumps(asyncio.run(make()), indent=1, ensure_ascii=False)
    Path(sys.argv[1]).write_text(made + "\n")
