"""Children with something opened to them are kept warm too: few, not for long, and for those very folders only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.isolation import spares
from core_engine.components.isolation.process import ChildProcess
from core_engine.components.isolation.rungs import Openings, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox

READ = "result = open(args['path']).read()"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    made = Sandbox(most=Bounds(30, 256))
    yield made
    await made.close()


async def read(sandbox: Sandbox, folder: Path) -> Any:
    request = {"code": READ, "payload": {}, "args": {"path": str(folder / "a.txt")}}
    openings = Openings(readable=(str(folder),))
    value = await sandbox.call(Task.FUNCTION, request, Bounds(30, 128), lambda *_: None, openings)
    await asyncio.gather(*sandbox._refills.values())
    return value


def waiting(sandbox: Sandbox) -> list[ChildProcess]:
    return list(sandbox._spares._special.values())


def folder_with(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "a.txt").write_text(text)
    return path


async def test_the_next_call_with_the_same_folders_finds_a_warm_child(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    folder = folder_with(tmp_path / "one", "hay")
    assert await read(sandbox, folder) == "hay"
    (spare,) = waiting(sandbox)
    (folder / "a.txt").write_text("straw")
    assert await read(sandbox, folder) == "straw"
    assert not spare.usable
    assert waiting(sandbox) != [spare]


async def test_a_folder_of_the_same_name_is_not_the_same_folder(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = folder_with(tmp_path / "one", "old")
    assert await read(sandbox, folder) == "old"
    (old,) = waiting(sandbox)
    folder.rename(tmp_path / "away")
    folder_with(tmp_path / "one", "new")
    assert await read(sandbox, folder) == "new"
    assert old.usable  # it was not used, and goes when its time is over


async def test_few_are_kept_and_the_longest_unused_goes(sandbox: Sandbox, tmp_path: Path) -> None:
    first: list[ChildProcess] = []
    for number in range(spares.MOST_SPECIAL + 1):
        await read(sandbox, folder_with(tmp_path / str(number), "x"))
        first = first or waiting(sandbox)
    assert len(waiting(sandbox)) == spares.MOST_SPECIAL
    assert first[0] not in waiting(sandbox)
    await asyncio.gather(*sandbox._spares._ending)
    assert not first[0].usable


async def test_one_that_is_not_used_is_ended(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spares, "IDLE_SECONDS", 0.0)
    await read(sandbox, folder_with(tmp_path / "one", "x"))
    (spare,) = waiting(sandbox) or [None]
    async with asyncio.timeout(60):
        if spare is not None:
            await asyncio.shield(spare._gone)
    assert not waiting(sandbox)
