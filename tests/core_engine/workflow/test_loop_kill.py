"""SIGKILL in the middle of a loop, and a file that no memory would hold."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter
from pathlib import Path

from tests.core_engine.workflow.loop_victim import COUNT, registry
from tests.core_engine.workflow.test_loops import kids
from tests.core_engine.workflow.workshop import Watcher, bench

ROOT = Path(__file__).resolve().parents[3]


async def begin(module: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.core_engine.workflow.{module}", str(folder),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip


async def test_killed_in_the_middle_of_a_loop_every_item_happens_once(tmp_path: Path) -> None:
    process = await begin("loop_victim", tmp_path)
    assert process.stdout
    done = 0
    while done < COUNT // 4:
        done = int(await process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    await process.wait()
    parts = registry(tmp_path)
    async with bench(tmp_path / "engine", parts) as shop:
        rows = shop.store.reads.query("SELECT item FROM run WHERE parent = 'run-1' AND status = 'SUCCEEDED'")
        finished = {row[0] for row in rows}
        assert COUNT // 8 < len(finished) < COUNT
        await shop.runs.recover()
        watcher = Watcher()
        await shop.runs.subscribe("run-1", watcher, 0)
        assert await watcher.end() == "SUCCEEDED"
        out = await shop.output("loop>z")
        assert out["results"] == [{"booked": item} for item in range(COUNT)]
        assert not finished & set(parts["ledger"].calls)
        assert [run.item for run in await kids(shop)] == list(range(COUNT))
    booked = Counter(int(path.name.split("-")[0]) for path in (tmp_path / "ledger").iterdir())
    assert booked == Counter(range(COUNT))


async def test_a_hundred_thousand_items_of_a_file_need_little_memory(tmp_path: Path) -> None:
    process = await begin("miller", tmp_path)
    output, _ = await process.communicate()
    assert process.returncode == 0
    status, count, results, items, grown = json.loads(output)
    assert (status, count, results, items) == ("SUCCEEDED", 1000, [], 100_000)
    assert grown < 100 * 1024, "the file alone has 34 MiB of text, and takes several times that as objects"
