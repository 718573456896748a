"""The runs whose journals are kept for ever: together they have every kind of record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from core_engine.components.builtin.for_each.component import ForEach
from core_engine.components.builtin.manual_approval.component import ManualApproval
from core_engine.components.builtin.wait_for_event.component import WaitForEvent
from core_engine.components.builtin.wait_until.component import WaitUntil
from core_engine.kernel.component import Component, Config
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.ports import Rerun
from core_engine.workflow.aids import aids_option
from tests.core_engine.workflow.household import Note, loop
from tests.core_engine.workflow.test_recovery import MIXED
from tests.core_engine.workflow.workshop import OWNER, Bench, Registry, bench, chain, eventually, workflow


class Spender(Component[Config]):
    """Uses something that costs."""

    id = "spender"
    name = "Spender"
    description = "Spends."
    category = "test"

    def execute(self, context, config, payload):
        context.spend("chat", tokens_in=3, tokens_out=4, cost="0.01", model="small")
        return Result({"success": payload})


def full() -> Registry:
    """A registry of everything that the golden runs use, its gates open."""
    mine = (ForEach(), Note(), WaitForEvent(), WaitUntil(), ManualApproval(), Spender())
    registry = Registry(mine)
    for name in ("gate", "once_gate", "keyed_gate"):
        registry[name].open.set()
    return registry


def _flow() -> dict[str, Any]:
    """Rounds, a looping node, a join that expires, and a final step."""
    lap = {"enable_loop": True, "iterations": 2, "enable_sleep": True, "static_duration": 0.01}
    join = {"mode": "all", "timeout_seconds": 0.02, "on_timeout": "continue"}
    data = workflow(
        "a>j", "w>j", "a>s",
        a={"module_id": "add", "config_values": lap},
        w={"module_id": "wait_until", "config_values": {"seconds": 0.2}},
        j={"module_id": "add", "join": join}, s="spender", fin={"module_id": "talk", "finally": True},
    )  # fmt: skip
    return data | {"global_loop_config": {"isEnabled": True, "iterations": 2}}


def _late() -> dict[str, Any]:
    data = workflow("a>b", a="gate", b="add", fin={"module_id": "talk", "finally": True})
    return data | {"settings": {"flow": {"deadline_seconds": 0.2, "alarm_after_seconds": 0.05}}}


async def _older(shop: Bench) -> None:
    """What the first version had already."""
    registry = shop.registry
    await shop.run(MIXED, "mixed", initial_payload=Payload({"n": 1}))
    registry["once_gate"].open.clear()
    await shop.start(workflow("a:error>b", a="once_gate", b="talk"), "cut")
    await registry["once_gate"].arrived.wait()
    registry["gate"].open.clear()
    await shop.start(workflow("a>b", a="gate", b="add"), "stopped")
    await registry["gate"].arrived.wait()
    await shop.runs.pause("stopped", OWNER)
    await shop.runs.resume("stopped", OWNER)
    await shop.runs.stop("stopped", OWNER)


async def _newer(shop: Bench) -> None:
    await shop.run(_late(), "late")
    shop.registry["gate"].open.set()
    await shop.run(_flow(), "flow", initial_payload=Payload({"n": 1}))
    await shop.run(workflow("a>b", "b>c", a="add", b="fail", c="add"), "failed")
    wish = Rerun(run_id="failed", new_run_id="rerun", by=OWNER, from_failed=True)
    await shop.runs.start(await shop.runs.rerun_request(wish))
    await shop.run(loop([1, 2, 3], parallel=2), "items")
    held = await shop.start(chain(3), "held", options=aids_option({}, ["n0>n1"]))
    await held.until(lambda frame: frame["type"] == "BREAKPOINT_HIT")
    await shop.runs.debug("held", lambda run: run.set_breakpoints(["n0>n1"], OWNER))
    await shop.runs.debug("held", lambda run: run.let_pass(None, OWNER, step=True))
    await held.until(lambda frame: frame["type"] == "BREAKPOINT_HIT" and frame["connection_id"] == "n1>n2")
    await shop.runs.debug("held", lambda run: run.let_pass(None, OWNER, step=False))
    step = {"module_id": "wait_for_event", "config_values": {"event_name": "paid", "correlation": "7"}}
    event = await shop.start(workflow("w>a", w=step, a="add"), "event")
    await event.until(lambda frame: frame["type"] == "log")
    await shop.runs.publish_event("paid", "7", {"n": 5})


async def make(folder: Path) -> AsyncIterator[tuple[Bench, str]]:
    """Carry out the runs, and yield each once it has ended."""
    registry = full()
    async with bench(folder, registry) as shop:
        await _older(shop)
        await _newer(shop)
    registry["gate"].open.set()
    async with bench(folder, registry) as shop:
        await shop.runs.recover()
        await eventually(lambda: shop.runs.open_runs == 0)
        for name in ("mixed", "cut", "stopped", "late", "flow", "failed", "rerun", "items", "held", "event"):
            yield shop, name
