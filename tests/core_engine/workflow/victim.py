"""An engine that starts runs until it is killed; each line it prints is a run it has promised to keep."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from core_engine.kernel.ports import StartRun
from tests.core_engine.workflow.marks import Mark
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, workflow

WORK = workflow("a>b", "b>c", "c>d", a="add", b="mark", c="add", d="mark")


async def main(folder: Path, generation: str) -> None:
    shop = Bench(folder / "engine", Registry([Mark(folder / "marks")]))
    await shop.runs.recover()
    counter = iter(range(10**9))

    async def client() -> None:
        while True:
            run_id = f"run-{generation}-{next(counter)}"
            await shop.runs.start(StartRun(run_id, WORK, OWNER))
            print(run_id, flush=True)

    await asyncio.gather(*(client() for _ in range(8)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
