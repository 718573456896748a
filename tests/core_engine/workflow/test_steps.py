"""What a component may ask for, from any thread, and what is dropped after its time."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from pathlib import Path

import pytest

from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Result
from core_engine.workflow import outcomes, steps
from tests.core_engine.workflow.workshop import Registry, bench, chain, workflow


class Probe(Component[Config]):
    """Hands its context to the test."""

    id = "probe"
    name = "Probe"
    description = "Probes."
    category = "test"

    def __init__(self) -> None:
        self.contexts: list[Context] = []

    def execute(self, context, config, payload):
        self.contexts.append(context)
        return Result({"success": payload})


class Chatter(Component[Config]):
    """Writes from several threads of its own."""

    id = "chatter"
    name = "Chatter"
    description = "Chatters."
    category = "test"
    execution = Execution.ASYNC

    async def execute(self, context, config, payload):
        await asyncio.gather(*(asyncio.to_thread(self.talk, context, number) for number in range(4)))
        return Result({"success": payload})

    def talk(self, context: Context, number: int) -> None:
        for line in range(25):
            context.log(f"{number}:{line}")


async def test_the_context_tells_who_runs(tmp_path: Path):
    probe = Probe()
    async with bench(tmp_path, Registry([probe])) as shop:
        await shop.run(workflow("a>b", a="probe", b="probe"))
    one, two = probe.contexts
    assert (one.run_id, one.node_id, one.node_name, one.attempt, one.mode.value) == (
        "run-1",
        "a",
        "A",
        1,
        "EXECUTE",
    )
    assert one.idempotency_key == hashlib.sha256(b"run-1\na\n0").hexdigest()
    assert one.idempotency_key != two.idempotency_key
    assert one.inputs == ()
    assert [found.source_id for found in two.inputs] == ["a"]
    with pytest.raises(AssertionError):
        one.files.readable("x")


async def test_what_is_written_after_the_step_is_dropped(tmp_path: Path):
    probe = Probe()
    async with bench(tmp_path, Registry([probe])) as shop:
        watcher = await shop.start(workflow("a>b", a="probe", b="gate"))
        await shop.registry["gate"].arrived.wait()
        probe.contexts[0].log("too late")
        probe.contexts[0].popup("too", "late")
        shop.registry["gate"].open.set()
        await watcher.end()
        assert [frame["source"] for frame in watcher.of("log")] == ["Executor"]
        assert watcher.of("SHOW_DEBUG_POPUP") == []
    probe.contexts[0].log("even later")


async def test_lines_from_foreign_threads_all_arrive_before_the_end(tmp_path: Path):
    async with bench(tmp_path, Registry([Chatter()])) as shop:
        watcher = await shop.run(workflow("a>b", a="chatter", b="add"))
        lines = [frame["message"] for frame in watcher.of("log")][:-1]
        assert sorted(lines) == sorted(f"{number}:{line}" for number in range(4) for line in range(25))


async def test_texts_are_cleaned_cut_and_given_a_known_level(tmp_path: Path):
    class Odd(Probe):
        id = "odd"

        def execute(self, context, config, payload):
            context.log("bad \ud800", "LOUD")
            context.log("x" * 100_000, "WARN")
            context.log(17)
            context.popup("t" * 5000 + "\ud800", None)
            return Result({"success": payload})

    async with bench(tmp_path, Registry([Odd()])) as shop:
        watcher = await shop.run(chain(1, "odd"))
        one, two, three = watcher.of("log")[:3]
        assert (one["message"], one["level"], three["message"]) == ("bad ?", "INFO", "17")
        assert (len(two["message"]), two["level"]) == (64 * 1024, "WARN")
        assert len(watcher.of("SHOW_DEBUG_POPUP")[0]["title"]) == 1000


async def test_popups_are_limited_per_run_and_must_be_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outcomes, "_MOST_POPUPS", 3)

    class Many(Probe):
        id = "many"

        def execute(self, context, config, payload):
            for number in range(10):
                context.popup("T", number)
            context.popup("T", object())

    async with bench(tmp_path, Registry([Many()])) as shop:
        watcher = await shop.run(chain(1, "many"))
        assert [frame["content"] for frame in watcher.of("SHOW_DEBUG_POPUP")] == [0, 1, 2]
        assert await watcher.end() == "FAILED"


async def test_a_flood_from_a_thread_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(steps, "MOST_LOG_LINES", 50)
    monkeypatch.setattr(outcomes, "MOST_LOG_LINES", 20)

    class Flood(Probe):
        id = "flood"
        execution = Execution.THREAD

        def execute(self, context, config, payload):
            for number in range(5000):
                context.log(str(number))
            return Result.on("success", context._posted_lines)

    async with bench(tmp_path, Registry([Flood()])) as shop:
        watcher = await shop.run(workflow("a>b", a="flood", b="add"))
        assert len([frame for frame in watcher.of("log") if "node_id" in frame]) == 21
        assert await shop.output("a>b") == 51


async def test_a_thread_that_exits_fails_its_step_only(tmp_path: Path):
    class Exit(Probe):
        id = "exit"
        execution = Execution.THREAD

        def execute(self, context, config, payload):
            raise SystemExit(3)

    async with bench(tmp_path, Registry([Exit()])) as shop:
        watcher = await shop.run(workflow(a="exit", b="add"))
        assert await watcher.end() == "FAILED"
        assert await shop.nodes() == {"a": "ERROR", "b": "SUCCESS"}


async def test_a_coroutine_that_cancels_itself_fails_its_step(tmp_path: Path):
    class Quit(Probe):
        id = "quit"
        execution = Execution.ASYNC

        async def execute(self, context, config, payload):
            raise asyncio.CancelledError

    async with bench(tmp_path, Registry([Quit()])) as shop:
        watcher = await shop.run(chain(1, "quit"))
        assert await watcher.end() == "FAILED"


async def test_a_queued_thread_step_that_was_stopped_is_never_called(tmp_path: Path):
    blocker_called = threading.Event()
    async with bench(tmp_path, max_parallel_steps=1) as shop:
        blocker = shop.registry["blocker"]
        first = await shop.start(chain(1, "blocker"), "one")
        await asyncio.to_thread(blocker.entered.wait, 10)
        execute = blocker.execute
        blocker.execute = lambda *args: blocker_called.set() or execute(*args)
        await shop.start(chain(1, "blocker"), "two")
        assert (await shop.runs.stop("two", "x"))["status_data"]["status"] == "STOPPED"
        blocker.release.set()
        assert await first.end() == "SUCCEEDED"
        assert not blocker_called.is_set()
