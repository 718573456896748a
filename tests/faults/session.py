"""A small session of a client with an engine's runner on a real disk, told again from its start after each crash.

The client writes down what it was told (`notes`) and the steps what they did (`marks`), both outside the engine's
folder.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from core_engine.components.builtin.for_each.component import ForEach
from core_engine.components.builtin.wait_until.component import WaitUntil
from core_engine.kernel.component import Component, Config
from core_engine.kernel.payload import Result
from core_engine.kernel.ports import StartRun
from core_engine.storage import EngineStore
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.marks import Mark, append
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, workflow
from tests.simulation.checks import Books

FAR_MS = 10**15
REPLAY_KEY = b"a signature that was used"
LOOP = workflow(
    "big>each", "each>last", big="big", each={"module_id": "for_each", "config_values": {"items": [1, 2]}},
    in_loop={"module_id": "mark", "parent_id": "each"}, last="mark",
)  # fmt: skip
WAIT = workflow(
    "first>until",
    "until>last",
    first="mark",
    until={"module_id": "wait_until", "config_values": {"seconds": 0.05}},
    last="mark",
)
STOP = workflow("first>never", first="mark", never="gate")
RUNS = {"loop": LOOP, "wait": WAIT, "stop": STOP}


class Big(Component[Config]):
    """Gives so much that the journal keeps it in a file of its own."""

    id = "big"
    name = "Big"
    description = "Gives much."
    category = "test"

    def execute(self, context: Any, config: Config, payload: Any) -> Result:
        return Result.on("success", {"items": [1, 2], "much": context.run_id * 20_000})


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def registry(folder: Path) -> Registry:
    return Registry([Mark(folder / "marks"), Big(), ForEach(), WaitUntil()])


class Session:
    """One life of the engine with its client. `live` ends normally, or the process ends in the middle."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shop = Bench(folder / "engine", registry(folder), park_after=0.01)
        self._told = lines(folder / "notes")

    async def make(self) -> None:
        """Leave a run to be deleted later."""
        await self._shop.run(workflow(big="big"), "old")
        await self._shop.close()

    async def live(self) -> None:
        """Go through the whole script; what was done before is asked for again."""
        runs, store = self._shop.runs, self._shop.store
        await runs.recover()
        for problem in self._forgotten(store):
            append(self._folder / "problems", problem)
        for name, data in RUNS.items():
            await self._insist(lambda: runs.start(StartRun(name, data, OWNER)))  # noqa: B023 - awaited at once
            self._note(f"started {name}")
        await self._insist(lambda: store.put("kept", b"1"))
        self._note("kept")
        await self._insist(lambda: store.remember([(REPLAY_KEY, FAR_MS)]))
        self._note("used")
        await self._insist(lambda: runs.stop("stop", OWNER))
        self._note("stopped")
        ended = (store.reads.run("old") or _GONE).finished_at
        if ended is not None:
            await self._insist(lambda: store.delete_runs(ended + 1, 1))
        for name in RUNS:
            self._note(f"ended {name} {await self._end(name)}")
        await self._shop.close()

    def _forgotten(self, store: EngineStore) -> Iterator[str]:
        """Yield what the client was told and the engine does not know any more."""
        for note in self._told:
            what, _, rest = note.partition(" ")
            name, _, status = rest.partition(" ")
            row = store.reads.run(name) if name else None
            if what in {"started", "ended"} and row is None:
                yield f"{name} was acknowledged and is gone"
            elif what == "ended" and row and row.status != status:
                yield f"{name} was told to be {status} and is {row.status}"
            elif what == "kept" and store.get("kept") != b"1":
                yield "a value that was stored is gone"
            elif what == "used" and REPLAY_KEY not in {key for key, _ in store.replay_keys(0)}:
                yield "a used signature is forgotten"

    async def _insist(self, call: Callable[[], Awaitable[Any]]) -> None:
        while True:
            try:
                await call()
            except FloworkError as error:
                self._die_with_the_disk(error)
                if error.code is ErrorCode.CONFLICT:  # it has ended already
                    return
                if error.code is not ErrorCode.STORAGE_FULL:
                    raise
            else:
                return
            await asyncio.sleep(0.02)

    async def _end(self, name: str) -> str:
        async with asyncio.timeout(60):
            while True:
                row = self._shop.store.reads.run(name)
                if row and RunStatus(row.status).final:
                    return row.status
                self._die_with_the_disk(None)
                await asyncio.sleep(0.005)

    def _die_with_the_disk(self, error: FloworkError | None) -> None:
        """End as the engine's process does when its disk failed for good."""
        if self._shop.fatal or (error and error.code is ErrorCode.INTERNAL):
            os._exit(70)

    def _note(self, text: str) -> None:
        append(self._folder / "notes", text)


class _Gone:
    finished_at = None


_GONE = _Gone()


def judge(folder: Path) -> Iterator[str]:
    """Yield what is wrong in a folder after a life that came to its end."""
    yield from lines(folder / "problems")
    with closing(sqlite3.connect(folder / "engine" / "engine.db")) as database:
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            yield "the database is damaged"
    marks = Counter(lines(folder / "marks"))
    yield from (f"{mark}: its effect happened {count} times" for mark, count in marks.items() if count > 1)
    store = EngineStore.open(folder / "engine")
    reader: Any = store.archive
    books = Books(reader, store.blobs, registry(folder))
    yield from books.problems()
    if books.count_parked():
        yield "runs are noted as parked that have ended"
    wanted = {name for (name,) in store.reads.query("SELECT name FROM blob")}
    if set(store.blobs.names()) != wanted:
        yield f"payload files: {sorted(store.blobs.names())} are there, {sorted(wanted)} are named"
    rows = {row.id: row.status for row in books.rows}
    if set(RUNS) - set(rows) or "old" in rows:
        yield f"the runs are {sorted(rows)}"
    if rows.get("stop") not in {"STOPPED", "FAILED"}:
        yield f"the stopped run is {rows.get('stop')}"
    for name, status in rows.items():
        if status == "SUCCEEDED" and name in {"loop", "wait"} and marks[f"{name} last 0 0"] != 1:
            yield f"{name} succeeded without its last effect"
    store.close()
