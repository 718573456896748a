"""Children with something opened to them are kept warm too: few, not for long, and for those very folders only."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.isolation import spares
from core_engine.components.isolation.process import ChildProcess
from core_engine.components.isolation.rungs import Openings, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.isolation.spares import Spares

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
    for number in range(5):
        await read(sandbox, folder_with(tmp_path / str(number), "x"))
        first = first or waiting(sandbox)
    assert len(waiting(sandbox)) == 4
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


SLEEPER = 'import os, time\nos.write(1, bytes([0, 0, 0, 16]) + b\'{"kind":"ready"}\')\ntime.sleep(100)'
Door = tuple[socket.socket, socket.socket]


async def started(door: Door | None = None) -> ChildProcess:
    """Start a child that waits, without walls."""
    return await ChildProcess.start([sys.executable, "-I", "-S", "-c", SLEEPER], door)


async def test_one_is_kept_for_each_key_until_it_is_taken() -> None:
    kept, plain, special = Spares(), await started(), await started()
    assert "plain" not in kept
    kept.keep("plain", plain, special=False)
    kept.keep("special", special, special=True)
    assert ("plain" in kept, "special" in kept, "other" in kept) == (True, True, False)
    assert kept.take("other") is None
    assert kept.take("plain") is plain
    assert kept.take("special") is special
    assert ("plain" in kept, "special" in kept) == (False, False)
    await kept.close()
    assert plain.usable
    assert special.usable
    await asyncio.gather(plain.end(), special.end())


async def test_closing_ends_all_that_wait() -> None:
    kept, children = Spares(), [await started() for _ in range(2)]
    for number, child in enumerate(children):
        kept.keep(number, child, special=bool(number))
    await kept.close()
    assert [child.exit_code() for child in children] == [-9, -9]
    assert (0 in kept, 1 in kept) == (False, False)
    await asyncio.sleep(0)
    assert not kept._ending


async def test_one_that_has_ended_is_not_given_away_and_its_door_is_closed() -> None:
    kept, door = Spares(), socket.socketpair()
    child = await started(door)
    kept.keep("key", child, special=False)
    child.kill()
    async with asyncio.timeout(60):
        await asyncio.shield(child._gone)
    assert kept.take("key") is None
    await kept.close()
    assert door[0].fileno() == -1


async def test_the_time_of_one_that_was_taken_does_not_end_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, first, second = Spares(), await started(), await started()
    monkeypatch.setattr(spares, "IDLE_SECONDS", 0.05)
    kept.keep("key", first, special=True)
    assert kept.take("key") is first
    monkeypatch.setattr(spares, "IDLE_SECONDS", 100.0)
    kept.keep("key", second, special=True)
    await asyncio.sleep(0.15)
    assert kept.take("key") is second
    await asyncio.gather(first.end(), second.end())
    await kept.close()
