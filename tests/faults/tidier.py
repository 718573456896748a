"""``python -m tests.faults.tidier <folder>``: fills an engine's store, says so, and deletes all of it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from core_engine.storage import EngineStore
from tests.core_engine.storage.test_store import run_write

RUNS = 400


async def main(folder: Path) -> None:
    store = EngineStore.open(folder)
    shared = b"shared" * 100
    writes = [
        run_write(number, blobs=(shared, f"own {number}".encode() * 50)) for number in range(1, RUNS + 1)
    ]
    await asyncio.gather(*(store.write(write) for write in writes))
    print("deleting", flush=True)
    await store.delete_runs(before_ms=10**15)
    await asyncio.Event().wait()  # until it is killed


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
