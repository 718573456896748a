"""B9: loops over 100,000 items, graphs of 1,000 nodes, payloads of 50 MB: does each cost as much as ten small ones?"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.figures import Row, Scale
from benchmarks.runs import Order, Result, closed_loop, orders
from benchmarks.servers import engine
from benchmarks.workflows import adding, chain, events_of
from shared.signing.keys import WalletKey

WORK = "large loops, graphs and payloads"
DEADLINE_SECONDS = 300
ITEMS, NODES, MEGABYTES = 100_000, 1000, 50
SMALL = 10
GRAPH_RUNS = 12
PARALLEL = 16
MOST_MB = {"items": 256.0, "nodes": 256.0, "bytes": 750.0}
LOOP_SECONDS = 280.0


def measure(scale: Scale) -> list[Row]:
    """Return the cost of a part of the large work against that of a part of the small one, and the memory it took."""
    wallet = WalletKey.create()[0]
    bench = Bench(wallet)
    items, nodes = scale.of(ITEMS), scale.of(NODES)
    megabytes = scale.of(MEGABYTES)
    return [
        *bench.compare("items", f"{items:,}-item for-each, per item", items, bench.loop),
        *bench.compare("nodes", f"{nodes:,}-node graph, per node", nodes, bench.graph),
        *bench.compare("bytes", f"{megabytes} MB payload, per byte", megabytes * 1_000_000, bench.payload),
    ]


class Bench:
    """The three kinds of large work; each size has an engine of its own, so that its memory is known."""

    def __init__(self, wallet: WalletKey) -> None:
        self._wallet = wallet

    def compare(self, kind: str, work: str, size: int, timed: Callable[[Path, str, int], float]) -> list[Row]:
        """Return the row of the cost for each part in microseconds, and that of the memory in MB."""
        (small, _), (large, peak) = self._once(size // SMALL, timed), self._once(size, timed)
        unit = {"items": "µs/item", "nodes": "µs/node", "bytes": "ns/byte"}[kind]
        factor = 1e9 if kind == "bytes" else 1e6
        against = f"{size // SMALL:,} {kind}"
        return [
            Row(
                "B9",
                work,
                unit,
                factor * large / size,
                factor * small / (size // SMALL),
                against,
                1.3,
                at_least=False,
            ),
            Row("B9", f"memory for {size:,} {kind}", "MB", peak, MOST_MB[kind], "bound", 1.0, at_least=False),
        ]

    def _once(self, size: int, timed: Callable[[Path, str, int], float]) -> tuple[float, float]:
        """Return the seconds that a size takes, and the engine's highest resident memory in MB."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            limits = {"ENGINE_MAX_MESSAGE_BYTES": str(128 * 1024 * 1024)}
            with engine(folder, self._wallet.address, limits) as at:
                seconds = timed(folder, at["socket"], size)
                return seconds, peak_megabytes(at["process"])

    def loop(self, folder: Path, url: str, items: int) -> float:
        """Run a loop over the lines of a file; each item's run adds one to a number."""
        (folder / "files").mkdir(exist_ok=True)
        with (folder / "files" / "items.ndjson").open("w") as file:
            file.writelines(f'{{"n": {number}}}\n' for number in range(items))
        given = {"source_file": "items.ndjson", "parallel": PARALLEL, "collect": False}
        inside = {"fields": [{"name": "n", "value": "{{ sum([data.item.n, `1`]) }}"}], "keep_input": False}
        nodes = [
            {"id": "loop", "name": "Loop", "module_id": "for_each", "config_values": given},
            {
                "id": "add",
                "name": "Add",
                "module_id": "set_fields",
                "parent_id": "loop",
                "config_values": inside,
            },
        ]
        made = orders(self._wallet, 1, {"nodes": nodes, "connections": []}, adding(0))
        seconds = ended(url, made, seconds=LOOP_SECONDS).seconds
        told = results(folder, made[0].run_id)
        if (told["count"], told["succeeded"]) != (items, items) or children(folder) != items:
            raise RuntimeError(
                f"of {items} items {children(folder)} are in the journal, and the loop told {told}"
            )
        return seconds

    def graph(self, folder: Path, url: str, nodes: int) -> float:
        """Run a graph a few times; return the seconds of one run."""
        del folder
        workflow = chain(nodes)
        uvloop.run(
            closed_loop(
                url, orders(self._wallet, 1, workflow, adding(0)), connections=1, window=1, batch=True
            )
        )
        made = orders(self._wallet, GRAPH_RUNS, workflow, adding(0))
        result = uvloop.run(closed_loop(url, made, connections=1, window=2, batch=True))
        result.check(made, events_of(nodes))
        return result.seconds / GRAPH_RUNS

    def payload(self, folder: Path, url: str, size: int) -> float:
        """Run a workflow of two steps with a large payload, from its start to its end."""
        payload: dict[str, Any] = {"data": {"n": 0, "text": os.urandom(size // 2).hex()}, "history": []}
        made = orders(self._wallet, 1, chain(2), payload)
        seconds = ended(url, made, seconds=LOOP_SECONDS).seconds
        del folder
        return seconds


def ended(url: str, made: list[Order], *, seconds: float) -> Result:
    """Run to the end, which has to be a good one."""
    result = uvloop.run(closed_loop(url, made, connections=1, window=1, batch=True, seconds=seconds))
    last = result.events[made[0].run_id][-1]
    if last["status_data"]["status"] != "SUCCEEDED":
        raise RuntimeError(f"the run ended with {last}")
    return result


def results(folder: Path, run_id: str) -> dict[str, Any]:
    """Return the result of a run as the journal has it."""
    found = _ask(folder, "SELECT result FROM run WHERE id = ?", run_id)[0]
    read = json.loads(found)
    told: dict[str, Any] = read.get("data", read)
    return told


def children(folder: Path) -> int:
    """Return how many items' runs the journal has, ended well."""
    query = "SELECT count(*) FROM run WHERE parent IS NOT NULL AND status = ?"
    return int(_ask(folder, query, "SUCCEEDED")[0])


def _ask(folder: Path, query: str, *values: str) -> tuple[Any, ...]:
    journal = sqlite3.connect(f"file:{folder / 'engine' / 'engine.db'}?mode=ro", uri=True)
    try:
        row: tuple[Any, ...] = journal.execute(query, values).fetchone()
    finally:
        journal.close()
    return row


def peak_megabytes(process: int) -> float:
    """Return the highest resident memory of a process so far."""
    text = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    if found is None:
        raise RuntimeError("the system does not tell a process's highest memory")
    return int(found[1]) * 1024 / 1e6
