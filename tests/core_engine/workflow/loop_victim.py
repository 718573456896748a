"""An engine in the middle of a loop of 200 items, until it is killed; each line it prints is an item's effect."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from core_engine.components.builtin.for_each.component import ForEach
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.payload import Result
from tests.core_engine.workflow.household import loop
from tests.core_engine.workflow.workshop import Bench, Registry

COUNT = 200
WORK = loop(list(range(COUNT)), "ledger", parallel=8)


class Ledger(Component[Config]):
    """Books an item under its key, as a payment would: a key that is booked already changes nothing."""

    id = "ledger"
    name = "Ledger"
    description = "Books."
    category = "test"
    policy = StepPolicy.KEYED
    execution = Execution.ASYNC

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.calls: list[int] = []

    async def execute(self, context, config, payload):
        item = payload.data["item"]
        self.calls.append(item)
        file = os.open(self.folder / f"{item}-{context.idempotency_key}", os.O_WRONLY | os.O_CREAT, 0o600)
        os.close(file)
        await asyncio.sleep(0.01)
        return Result.on("success", {"booked": item})

    async def simulate(self, context, config, payload):
        return Result.on("success", {"booked": payload.data["item"]})


def registry(folder: Path) -> Registry:
    return Registry([ForEach(), Ledger(folder / "ledger")])


async def main(folder: Path) -> None:
    shop = Bench(folder / "engine", registry(folder))
    await shop.runs.recover()
    watcher = await shop.start(WORK)
    seen = 0
    while True:
        await watcher.until(
            lambda frame, last=seen: frame["type"] == "LOOP_PROGRESS" and frame["done"] > last
        )
        seen = max(frame["done"] for frame in watcher.of("LOOP_PROGRESS"))
        print(seen, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
