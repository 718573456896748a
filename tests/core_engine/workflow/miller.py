"""An engine that goes through a file of 100,000 items and prints how its memory grew (KiB) and what came out."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

from core_engine.components.files import RootedFiles
from tests.core_engine.workflow.household import household, loop
from tests.core_engine.workflow.workshop import Bench

COUNT = 100_000


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def main(folder: Path) -> None:
    root = folder / "files"
    files = RootedFiles([root], folder)
    with (root / "items.ndjson").open("w") as file:
        for number in range(COUNT):
            file.write(json.dumps({"number": number, "text": "x" * 300}) + "\n")
    shop = Bench(folder / "engine", household(), files=files)
    settings = {"source_file": "items.ndjson", "batch_size": 100, "results_file": "out.ndjson", "parallel": 8}
    data = loop(None, "add", **settings)
    before = peak()
    watcher = await shop.run(data)
    out = await shop.output("loop>z")
    with (root / "out.ndjson").open() as lines:
        items = sum(len(json.loads(line)["result"]["item"]) for line in lines)
    grown = peak() - before
    print(json.dumps([await watcher.end(), out["count"], out["results"], items, grown]))
    await shop.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
