"""A child that starts programs is watched: its memory, its time, and whether anybody still waits."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from core_engine.components.isolation import frames, process, watch
from core_engine.components.isolation.process import ChildProcess
from core_engine.components.isolation.watch import Watch
from tests.core_engine.components.isolation import stand_in
from tests.core_engine.components.isolation.stand_in import ENDLESS

MIB = 1024 * 1024


class Limit:
    """Stands in for the control group; notes what was still at work when it was removed."""

    def __init__(self) -> None:
        self.around: list[int] = []
        self.at_work: list[set[str]] = []
        self.removed = 0

    @property
    def remove(self) -> Any:
        """What removes it."""
        me = asyncio.current_task()
        self.at_work.append({task.get_name() for task in asyncio.all_tasks() if task is not me})
        return self._remove

    def _remove(self) -> None:
        self.removed += 1


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    made = Limit()
    monkeypatch.setattr(watch.ProcessLimit, "around", lambda pid: (made.around.append(pid), made)[1])
    monkeypatch.setattr(process, "_LAST_WORDS_SECONDS", 0.01)
    return made


@pytest.fixture
async def child() -> AsyncIterator[ChildProcess]:
    made = await ChildProcess.start(stand_in.command(inner=True))
    yield made
    assert made.exit_code() is not None  # it was ended
    await made.end()


def watching(child: ChildProcess, memory_mb: int = 512, seconds: float = 60) -> tuple[Watch, asyncio.Event]:
    stop = asyncio.Event()
    return Watch(child, memory_mb, seconds, stop), stop


async def ask(watcher: Watch, code: str, up: asyncio.Event | None = None) -> Any:
    def log(*_: Any) -> None:
        if up:
            up.set()

    async with asyncio.timeout(60):
        return await watcher.ask(frames.encode({"code": code}), log)


async def test_one_that_answers_is_ended_and_nothing_stays_behind(child: ChildProcess, limit: Limit) -> None:
    code = "import select\nopen_still = not select.select([0], [], [], 0.2)[0]\n"
    watcher, _ = watching(child)
    assert await ask(watcher, f"{code}send(kind='result', value=open_still)\ntime.sleep(100)") == {
        "kind": "result", "value": True
    }  # fmt: skip
    assert (watcher.overgrown, watcher.late) == (False, False)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (limit.around, limit.at_work, limit.removed) == ([child.pid], [set()], 1)


async def test_one_that_is_late_is_told_and_has_time_to_answer(
    child: ChildProcess, limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "GRACE_SECONDS", 0.1)
    monkeypatch.setattr(watch, "_ANSWER_SECONDS", 30)
    watcher, _ = watching(child, seconds=0.1)
    answer = await ask(watcher, "os.read(0, 1)\ntime.sleep(0.2)\nsend(kind='result', value=1)")
    assert answer == {"kind": "result", "value": 1}
    assert (watcher.overgrown, watcher.late) == (False, True)
    assert limit.removed == 1


async def test_one_that_is_late_and_does_not_answer_is_ended(
    child: ChildProcess, limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(watch, "_ANSWER_SECONDS", 0.05)
    watcher, _ = watching(child, seconds=0.05)
    assert await ask(watcher, ENDLESS) is None
    assert watcher.late
    assert limit.removed == 1


async def test_one_that_nobody_waits_for_is_told(child: ChildProcess, limit: Limit) -> None:
    watcher, stop = watching(child)
    up = asyncio.Event()
    asking = asyncio.create_task(ask(watcher, "log('up')\nos.read(0, 1)\nsend(kind='result', value=1)", up))
    async with asyncio.timeout(60):
        await up.wait()
        stop.set()
        assert await asking == {"kind": "result", "value": 1}
    assert limit.removed == 1


@pytest.mark.parametrize(("more", "overgrown"), [(0, False), (1, True)])
async def test_one_whose_processes_use_too_much_is_ended(
    child: ChildProcess, limit: Limit, monkeypatch: pytest.MonkeyPatch, more: int, *, overgrown: bool
) -> None:
    looks = asyncio.Event()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(watch, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(
        watch, "_memory_of", lambda _pid: (loop.call_soon_threadsafe(looks.set), 64 * MIB + more)[1]
    )
    watcher, stop = watching(child, memory_mb=64)
    asking = asyncio.create_task(ask(watcher, "os.read(0, 1)\nsend(kind='result', value=1)"))
    async with asyncio.timeout(60):
        for _ in range(3):
            await looks.wait()
            looks.clear()
            if overgrown:
                break
        if not overgrown:
            stop.set()
        assert (await asking is None) == overgrown
    assert watcher.overgrown == overgrown
    assert watcher.late != overgrown


async def test_it_looks_now_and_then_only(
    child: ChildProcess, limit: Limit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_LOOK_SECONDS", 100)
    watcher, _ = watching(child, memory_mb=1)
    assert await ask(watcher, "time.sleep(0.2)\nsend(kind='result', value=1)") is not None
    assert not watcher.overgrown


def test_the_memory_of_a_family_is_what_it_does_not_share(monkeypatch: pytest.MonkeyPatch) -> None:
    class Member:
        def memory_info(self) -> SimpleNamespace:
            return SimpleNamespace(rss=5, shared=2)

    class Gone:
        def memory_info(self) -> SimpleNamespace:
            raise psutil.NoSuchProcess(1)

    def children(*, recursive: bool) -> list[Any]:
        return [Gone(), *[Member()] * 200] if recursive else []

    monkeypatch.setattr(psutil, "Process", lambda _pid: SimpleNamespace(children=children))
    assert watch._memory_of(1) == 3 * 127  # of so many at most


def test_one_that_is_alone_or_gone_uses_nothing() -> None:
    with subprocess.Popen(["/bin/sleep", "100"]) as alone:
        assert watch._memory_of(alone.pid) == 0
        alone.kill()
    assert watch._memory_of(2**22 + 1) == 0
