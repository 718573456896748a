"""Steps that share a key: so many at a time over all runs, in order, and never lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.payload import Payload, Result
from shared.errors import FloworkError
from tests.core_engine.workflow.workshop import Bench, Registry, bench, eventually, workflow


class Busy(Component[Config]):
    """Counts how many of it run at once."""

    name = "Busy"
    description = "Counts."
    category = "test"

    def __init__(self, execution: Execution = Execution.ASYNC) -> None:
        self.id = f"busy_{execution.value}"
        self.execution = execution
        self.now = self.most = self.calls = 0
        self.together = 1
        self.enough = asyncio.Event()

    def execute(self, context: Any, config: Config, payload: Payload) -> Any:
        self.calls += 1
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now >= self.together:
            self.enough.set()

        async def work() -> Result:
            await asyncio.wait_for(self.enough.wait(), 60)
            await asyncio.sleep(0.002)
            self.now -= 1
            return Result({"success": payload})

        if self.execution is Execution.ASYNC:
            return work()
        self.now -= 1
        return Result({"success": payload})


def wide(count: int, key: str = "api", most: int = 2, module: str = "busy_async") -> dict[str, Any]:
    node = {"module_id": module, "concurrency": {"key": key, "most": most}}
    return workflow(**{f"n{i}": node for i in range(count)})


async def test_a_key_holds_over_runs_and_others_are_not_held_up(tmp_path: Path) -> None:
    registry = Registry([Busy(), Busy(Execution.INLINE)])
    registry["busy_async"].together = 2
    async with bench(tmp_path, registry, max_parallel_steps=20) as shop:
        watchers = await asyncio.gather(*(shop.start(wide(6), f"r{i}") for i in range(4)))
        assert [await watcher.end() for watcher in watchers] == ["SUCCEEDED"] * 4
        assert (registry["busy_async"].most, registry["busy_async"].calls) == (2, 24)
        assert await (await shop.run(wide(5, module="busy_inline"), "short")).end() == "SUCCEEDED"
        assert registry["busy_inline"].calls == 5
        assert not shop.runs._env.keys._used


async def test_a_step_without_the_key_and_one_with_another_go_on(tmp_path: Path) -> None:
    held = {"module_id": "gate", "concurrency": {"key": "api"}}
    registry = Registry([Busy()])
    async with bench(tmp_path, registry) as shop:
        gate = registry["gate"]
        await shop.start(workflow(g=held), "holds")
        await gate.arrived.wait()
        data = workflow(a=held, b={"module_id": "busy_async", "concurrency": {"key": "else"}}, c="busy_async")
        watcher = await shop.start(data, "waits")
        await eventually(lambda: registry["busy_async"].calls == 2)
        assert len(gate.calls) == 1
        gate.open.set()
        assert await watcher.end() == "SUCCEEDED"
        assert len(gate.calls) == 2


async def test_who_waits_for_a_key_can_be_stopped_paused_and_restarted(tmp_path: Path) -> None:
    held = {"module_id": "gate", "concurrency": {"key": "api"}}
    registry = Registry()
    gate = registry["gate"]
    async with bench(tmp_path, registry) as shop:
        await shop.start(workflow(g=held), "holds")
        await gate.arrived.wait()
        stopped = await shop.start(workflow(g=held), "stopped")
        await shop.start(workflow(g=held), "paused")
        await shop.start(workflow(g=held), "later")
        await shop.runs.stop("stopped", "0xa")
        assert await stopped.end() == "STOPPED"
        await shop.runs.pause("paused", "0xa")
        gate.open.set()
        await eventually(lambda: shop.runs.summary("later").status.final)
        assert not shop.runs.summary("paused").status.final
        gate.open.clear()
        await shop.start(workflow(g=held), "again")
        await eventually(lambda: len(gate.calls) == 3)
        await shop.runs.resume("paused", "0xa")
        assert len(gate.calls) == 3
    gate.open.set()
    async with bench(tmp_path, registry) as shop:
        assert await shop.runs.recover() == 2
        await eventually(lambda: shop.runs.open_runs == 0)
        assert {run.status.value for run in map(shop.runs.summary, ("paused", "again"))} == {"SUCCEEDED"}


async def test_a_failed_step_gives_its_key_back(tmp_path: Path) -> None:
    failing = {
        "module_id": "fail",
        "concurrency": {"key": "api"},
        "retry": {"attempts": 2, "delay_seconds": 0},
    }
    async with bench(tmp_path) as shop:
        await shop.run(workflow(a=failing, b=failing, c=failing))
        assert set((await shop.nodes()).values()) == {"ERROR"}
        assert not shop.runs._env.keys._used


@pytest.mark.parametrize("concurrency", [{}, {"key": ""}, {"key": "a", "most": 0}, {"key": 1}, "api"])
async def test_what_is_no_such_rule_is_refused(tmp_path: Path, concurrency: Any) -> None:
    shop = Bench(tmp_path, Registry())
    with pytest.raises(FloworkError, match="concurrency"):
        await shop.start(workflow(a={"module_id": "add", "concurrency": concurrency}))
    await shop.close()
