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
from typing import Any, get_args

import msgspec
import pytest

from core_engine.storage import EngineStore, RunRow, SegmentRow, WorkflowRow, Write
from core_engine.workflow import records as r
from core_engine.workflow.archive import Archive, node_states
from core_engine.workflow.library import Library
from core_engine.workflow.projection import Projection
from tests.core_engine.workflow.golden_runs import full, make
from tests.core_engine.workflow.workshop import Bench

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
    archive = Archive(store, Library(full()))
    for run in runs:
        assert describe(archive, run["row"]["id"]) == run["expected"]
    store.close()


def test_every_kind_of_record_stands_in_some_golden_journal():
    found: set[str] = set()
    for path in GOLDEN.glob("*.json"):
        for run in read(path):
            found |= {item[0] for _, body in run["segments"] for item in json.loads(body)}
    assert found >= {kind.__struct_config__.tag for kind in get_args(r.AnyRecord)}


async def record(shop: Bench, run_id: str) -> dict[str, Any]:
    journal = shop.store.archive.journal(run_id)
    assert journal is not None
    return {
        "row": journal.run._replace(result=None)._asdict(),
        "workflow": journal.workflow.decode(),
        "segments": [(first, body.decode()) for first, body in journal.segments],
        "expected": describe(Archive(shop.store, Library(shop.registry)), run_id),
    }


async def recorded() -> list[dict[str, Any]]:
    """Run the golden workflows, and return their journals."""
    with tempfile.TemporaryDirectory() as folder:
        return [await record(shop, name) async for shop, name in make(Path(folder))]


if __name__ == "__main__":
    made = json.dumps(asyncio.run(recorded()), indent=1, ensure_ascii=False)
    Path(sys.argv[1]).write_text(made + "\n")
