"""An engine that brings one run to its request for approval, says so, and stays there until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from core_engine.components.builtin.manual_approval.component import ManualApproval
from tests.core_engine.workflow.marks import Mark
from tests.core_engine.workflow.workshop import Bench, Registry, workflow

WORK = workflow("a>b", "b:approved>c", "c>d", a="mark", b="manual_approval", c="mark", d="add")


def registry(folder: Path) -> Registry:
    return Registry([Mark(folder / "marks"), ManualApproval()])


async def main(folder: Path) -> None:
    shop = Bench(folder / "engine", registry(folder))
    await shop.runs.recover()
    watcher = await shop.start(WORK)
    frame = await watcher.until(lambda frame: frame["type"] == "MANUAL_APPROVAL_REQUESTED")
    print(frame["approval_id"], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
