"""A run of 30 nodes that uses everything at once, and a process in which it goes on until that is killed.

``python -m tests.core_engine.workflow.marathon <folder>`` forks a fresh process for each line it reads; that one
recovers the run (or starts it) and prints a dot for everything that reaches the journal or the outside world.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from core_engine.components.builtin.for_each.component import ForEach
from core_engine.components.builtin.sub_workflow.component import SubWorkflow
from core_engine.components.builtin.wait_until.component import WaitUntil
from core_engine.components.builtin.while_loop.component import While
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.payload import Payload, Result
from core_engine.workflow import outcomes
from tests.core_engine.workflow.household import Shelf
from tests.core_engine.workflow.marks import append
from tests.core_engine.workflow.workshop import Bench, Registry, is_final, workflow

LAPS, ITEMS, ROUNDS = 240, 150, 50
_BRANCH = {"module_id": "branch", "config_values": {"ports": ["yes"]}}
_RETRY = {"attempts": 40, "delay_seconds": 0.001, "jitter": 0}


def _book(**more: Any) -> dict[str, Any]:
    return {"module_id": "book", **more}


def _loop(module: str, **config: Any) -> dict[str, Any]:
    return {"module_id": module, "config_values": config}


INNER = workflow("p>q", "q>s", p="book", q="add", s="once")
WORK = workflow(
    "a>b", "a>c", "a>d", "b>e", "c>e", "d>e", "d>f", "b>f", "c>g", "d>g", "b>g", "e>h",
    "h:yes>i", "h:no>j", "i>k", "j>k", "k>laps", "f>laps", "g>laps", "laps>each", "each>m", "each>n", "m:error>o",
    "n>q", "n:error>q", "o>q", "q>turns", "turns>sub", "sub>nap", "nap>t", "sub>u", "t>v", "u>v", "v>w", "w:error>w2",
    "w>x", "w2>x",
    a="talk", b="book", c="add", d="once",
    e={"module_id": "book", "join": "all"},
    f={"module_id": "book", "join": "any"},
    g={"module_id": "add", "join": {"mode": "first", "count": 2}},
    h=_BRANCH, i="book", j="book", k="add",
    laps=_loop("book", enable_loop=True, iterations=LAPS),
    each=_loop("for_each", items=list(range(ITEMS)), parallel=3),
    y={"module_id": "book", "parent_id": "each"}, y2={"module_id": "once", "parent_id": "each"},
    m={"module_id": "fail", "retry": {"attempts": 2, "delay_seconds": 0.001}},
    n="once", o="book", q="add",
    turns=_loop("while_loop", left="{{ data.turn || `0` }}", operator="<", right=ROUNDS),
    z={"module_id": "count", "parent_id": "turns"},
    sub={"module_id": "sub_workflow", "config_values": {"preset_name": "Inner"}},
    nap=_loop("wait_until", seconds=0.5),
    t="add", u={"module_id": "fail", "config_values": {"times": 3}, "retry": _RETRY}, v="book",
    w="fail", w2="talk", x="book",
    fin={"module_id": "book", "finally": True}, fin2={"module_id": "add", "finally": True},
)  # fmt: skip
for _edge in WORK["connections"]:  # a once-step whose outcome is unknown goes on by its error port
    if _edge["source"] in {"d", "n"}:
        _edge.pop("source_port_name", None)
WORK["connections"] += [
    {"id": f"d:error>{name}", "source": "d", "source_port_name": "error", "target": name} for name in "efg"
]
WORK["connections"].append({"id": "fin>fin2", "source": "fin", "target": "fin2"})
WORK["nodes"].append(
    {"id": "y3", "name": "Y3", "module_id": "talk", "config_values": {}, "parent_id": "each"}
)
WORK["connections"] += [
    {"id": "y>y2", "source": "y", "target": "y2"},
    {"id": "y2:error>y3", "source": "y2", "source_port_name": "error", "target": "y3"},
]
INNER["nodes"].append({"id": "s2", "name": "S2", "module_id": "talk", "config_values": {}})
INNER["connections"].append({"id": "s:error>s2", "source": "s", "source_port_name": "error", "target": "s2"})


class Book(Component[Config]):
    """Books under its key, and takes a moment."""

    id = "book"
    name = "Book"
    description = "Books."
    category = "test"
    policy = StepPolicy.KEYED
    execution = Execution.ASYNC

    def __init__(self, path: Path) -> None:
        self.path = path

    async def execute(self, context, config, payload):
        append(self.path, f"{context.run_id} {context.node_id} {context.iteration} {context.idempotency_key}")
        await asyncio.sleep(0.004)
        return Result({"success": payload})

    async def simulate(self, context, config, payload):
        return Result({"success": payload})


class Once(Component[Config]):
    """Has an effect that must not happen twice."""

    id = "once"
    name = "Once"
    description = "Happens once."
    category = "test"
    policy = StepPolicy.ONCE

    def __init__(self, path: Path) -> None:
        self.path = path

    def execute(self, context, config, payload):
        append(self.path, context.idempotency_key)
        return Result({"success": payload})

    def simulate(self, context, config, payload):
        return Result({"success": payload})


class Count(Component[Config]):
    """Counts the rounds of a while loop."""

    id = "count"
    name = "Count"
    description = "Counts."
    category = "test"
    execution = Execution.ASYNC

    async def execute(self, context, config, payload):
        await asyncio.sleep(0)
        item = payload.data["item"]
        return Result({"success": Payload({"turn": (item.get("turn") or 0) + 1})})


def registry(folder: Path) -> Registry:
    mine = (Book(folder / "booked"), Once(folder / "once"), Count())
    return Registry([ForEach(), While(), SubWorkflow(), WaitUntil(), *mine])


def shop(folder: Path) -> Bench:
    return Bench(folder / "engine", registry(folder), presets=Shelf(Inner=INNER))


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


async def live(folder: Path) -> None:
    """Go on with the run until its end; the process is usually killed before.

    Among so many kills one step may well be hit three times in a row; that it would be given up then is tried in
    `test_recovery`, and would end this run as failed.
    """
    assert outcomes._MOST_CRASHES
    outcomes._MOST_CRASHES = 1_000_000  # type: ignore[misc]
    bench = shop(folder)
    submit = bench.store.submit

    def watched(writes, done):
        say(".")

        def told(writes, error):
            say(".")
            done(writes, error)

        submit(writes, told)

    bench.store.submit = watched  # type: ignore[method-assign]
    if await bench.runs.recover() == 0:
        await bench.start(WORK)
    ended = asyncio.Event()
    await bench.runs.subscribe("run-1", lambda frames: any(map(is_final, frames)) and ended.set(), 0)
    await ended.wait()
    say("end")
    await asyncio.Event().wait()  # until it is killed


def main(folder: Path) -> None:
    """Fork a process for each line."""
    for _ in sys.stdin:
        pid = os.fork()
        if pid == 0:
            asyncio.run(live(folder))
            os._exit(0)
        say(f"pid {pid}")
        os.waitpid(pid, 0)
        say("gone")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
