"""The runs of a step, found by its item numbers."""

from __future__ import annotations

from pathlib import Path

from core_engine.storage import EngineStore, RunRow, Write
from core_engine.storage.families import ChildRow, FamilyTable


async def test_runs_of_a_step_are_found_by_their_items(tmp_path: Path) -> None:
    store = EngineStore.open(tmp_path)
    for number in range(1, 7):
        good = number % 2 == 0
        row = RunRow(
            number, f"r{number}", "0xa", None, "EXECUTE", "SUCCEEDED" if good else "FAILED", 1, 2, "hash",
            None if good else "bad", 1, 1, 1, "parent", "loop" if number < 6 else "other", 10 - number, "child",
            b"{}" if good else None,
        )  # fmt: skip
        await store.write(Write(run=row, refusable=True))
    table = FamilyTable(store.archive)
    assert table.children("parent", "loop", 6, 9) == [
        ChildRow("r4", 6, "SUCCEEDED", 2, None),
        ChildRow("r3", 7, "FAILED", 2, "bad"),
        ChildRow("r2", 8, "SUCCEEDED", 2, None),
    ]
    assert table.results("parent", "loop", 0, 100) == [("r4", 6, b"{}"), ("r2", 8, b"{}")]
    assert table.children("gone", "loop", 0, 100) == []
    store.close()
