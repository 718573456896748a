"""SIGKILL in the middle of everything: promised runs are there, and no effect happened twice."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections import Counter
from pathlib import Path

from shared.contract.run import RunStatus
from tests.core_engine.workflow.marks import Mark
from tests.core_engine.workflow.workshop import Registry, bench, eventually

ROOT = Path(__file__).resolve().parents[3]


async def start_and_kill(folder: Path, generation: int, promises: int) -> list[str]:
    """Let a victim make some promises, kill it, and return them."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.core_engine.workflow.victim", str(folder), str(generation),
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout
    kept = [(await process.stdout.readline()).decode().strip() for _ in range(promises)]
    process.send_signal(signal.SIGKILL)
    rest = (await process.stdout.read()).decode().split("\n")[:-1]
    await process.wait()
    return kept + rest


async def test_killed_again_and_again_nothing_promised_is_lost_and_nothing_happens_twice(tmp_path: Path):
    promised: list[str] = []
    rng = random.Random(5)
    for generation in range(3):
        promised += await start_and_kill(tmp_path, generation, rng.randrange(20, 120))
    assert len(promised) > 60
    async with bench(tmp_path / "engine", Registry([Mark(tmp_path / "marks")])) as shop:
        assert shop.store.epoch == 4
        await shop.runs.recover()
        await eventually(lambda: shop.runs.open_runs == 0)
        marks = Counter((tmp_path / "marks").read_text().splitlines())
        assert set(marks.values()) == {1}
        for run_id in promised:
            details = await shop.runs.details(run_id)
            statuses = {node.node_id: node.status.value for node in details.nodes}
            assert details.run.status.final
            if details.run.status is RunStatus.SUCCEEDED:
                assert set(statuses.values()) == {"SUCCESS"}
                assert marks[f"{run_id} b 0 0"] == marks[f"{run_id} d 0 0"] == 1
            else:
                unknown = [name for name, status in statuses.items() if status == "OUTCOME_UNKNOWN"]
                assert len(unknown) == 1, statuses
