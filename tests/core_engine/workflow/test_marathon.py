"""SIGKILL at 50 random points of one run with everything in it; each time a fresh process goes on with it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from core_engine.workflow import records as r
from core_engine.workflow.archive import Archive
from core_engine.workflow.library import Library
from tests.core_engine.workflow.marathon import ITEMS, LAPS, ROUNDS, WORK, shop
from tests.core_engine.workflow.workshop import Bench, Watcher
from tests.support.seed import base_seed

ROOT = Path(__file__).resolve().parents[3]
KILLS = 50
ENDS = (r.StepRan, r.StepFinished, r.StepPassed, r.StepUnknown, r.StepCancelled)


class Arena:
    """The process that forks one fresh engine after the other, and the engine that lives right now."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = 0
        self.ended = False

    async def word(self) -> str:
        """Return the next word that is no pid; remembers the pid and the end of the run."""
        assert self._process.stdout
        while True:
            async with asyncio.timeout(60):
                line = await self._process.stdout.readline()
            assert line, "the arena has ended"
            text = line.decode().strip()
            if not text.startswith("pid "):
                return text
            self.pid = int(text[4:])

    async def begin(self) -> None:
        """Have a fresh process go on."""
        assert self._process.stdin
        self.pid = 0
        self._process.stdin.write(b"go\n")
        await self._process.stdin.drain()

    async def live(self, events: int) -> bool:
        """Let the engine come so far; True when the run has ended before."""
        while events > 0 or not self.pid:
            if await self.word() == "end":
                return True
            events -= 1
        return False

    async def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        while await self.word() != "gone":
            pass
        self.pid = 0


@asynccontextmanager
async def arena(folder: Path) -> AsyncIterator[Arena]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.core_engine.workflow.marathon", str(folder),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    made = Arena(process)
    try:
        yield made
    finally:
        with suppress(ProcessLookupError):
            if made.pid:
                os.kill(made.pid, signal.SIGKILL)
        assert process.stdin
        process.stdin.close()
        async with asyncio.timeout(30):
            await process.wait()


def recorded(archive: Archive, run_id: str) -> Counter[tuple[str, int]]:
    """Count how often each step, by node and iteration, got its result."""
    run = archive.load(run_id)
    found: Counter[tuple[str, int]] = Counter()
    laps: Counter[int] = Counter()
    for record in run.records:
        if isinstance(record, r.StepLooped):
            assert record.iteration == laps[record.node]
            laps[record.node] += 1
            found[run.prepared.graph.nodes[record.node].id, record.iteration] += 1
        elif isinstance(record, ENDS) or (isinstance(record, r.StepFailed) and record.retry_at is None):
            found[run.prepared.graph.nodes[record.node].id, laps[record.node]] += 1
    return found


async def check_history(bench: Bench) -> None:
    """Everything ended well, each step has one result, and the events have neither gap nor repeat."""
    runs = bench.store.reads.query("SELECT id, status, parent_node, item FROM run ORDER BY number")
    failed = bench.store.reads.query(
        "SELECT id, parent_node, item, error FROM run WHERE status <> 'SUCCEEDED'"
    )
    assert failed == []
    wanted = [*(("each", item) for item in range(ITEMS)), *(("turns", item) for item in range(ROUNDS))]
    assert Counter((node, item) for _, _, node, item in runs) == Counter([(None, None), *wanted, ("sub", 0)])
    archive = Archive(bench.store, Library(bench.registry))
    for run_id, *_ in runs:
        assert set(recorded(archive, run_id).values()) == {1}, run_id
    steps = recorded(archive, "run-1")
    assert {lap for node, lap in steps if node == "laps"} == set(range(LAPS))
    inside = {node["id"] for node in WORK["nodes"] if "parent_id" in node}
    statuses = await bench.nodes()
    skipped = {node for node, status in statuses.items() if status == "SKIPPED"}
    assert {"j"} <= skipped <= {"j", "e", "f", "g", "w2"}
    assert {node for node, _ in steps} == {node["id"] for node in WORK["nodes"]} - inside - skipped
    watcher = Watcher()
    await bench.runs.subscribe("run-1", watcher, 0)
    assert watcher.seqs == list(range(1, bench.runs._row("run-1").last_seq + 1))


def check_effects(folder: Path) -> None:
    """Keyed effects happened at least once under one key each, the others at most once."""
    booked = [line.split() for line in (folder / "booked").read_text().splitlines()]
    keys: dict[tuple[str, ...], set[str]] = {}
    for run_id, node, iteration, key in booked:
        keys.setdefault((run_id, node, iteration), set()).add(key)
    assert {len(found) for found in keys.values()} == {1}
    assert len({key for found in keys.values() for key in found}) == len(keys)
    nodes = Counter(node for _, node, _ in keys)
    assert nodes == {**dict.fromkeys("befiovxp", 1), "fin": 1, "laps": LAPS, "y": ITEMS}
    once = Counter((folder / "once").read_text().splitlines())
    assert set(once.values()) == {1}
    assert len(once) <= ITEMS + 3


async def race(folder: Path, rng: random.Random, most: int) -> int:
    """Kill the engine of one run again and again; returns how often that was possible before the run ended."""
    kills = 0
    async with arena(folder) as ring:
        await ring.begin()
        while kills < most and not await ring.live(rng.randrange(8, 18)):
            await asyncio.sleep(rng.uniform(0, 0.002))
            await ring.kill()
            kills += 1
            await ring.begin()
        while kills == most and not await ring.live(1000):
            pass
        await ring.kill()
    return kills


async def check(folder: Path) -> None:
    bench = shop(folder)
    try:
        assert await bench.runs.recover() == 0
        await check_history(bench)
    finally:
        await bench.close()
    check_effects(folder)


async def test_killed_at_50_random_points_the_run_ends_as_if_nothing_had_been(tmp_path: Path):
    """A machine may be so quick that a run ends before it was killed often enough: then another one begins."""
    seed = base_seed()
    print(f"TEST_SEED={seed}")
    assert len(WORK["nodes"]) >= 30
    rng = random.Random(seed)
    kills, runs = 0, 0
    while kills < KILLS:
        folder = tmp_path / str(runs)
        folder.mkdir()
        kills += await race(folder, rng, KILLS - kills)
        await check(folder)
        runs += 1
    assert kills == KILLS
