"""Loops, sub-workflows and the components they are tested with."""

from __future__ import annotations

import asyncio
from typing import Any

from core_engine.components.builtin.for_each.component import ForEach
from core_engine.components.builtin.loop_break.component import LoopBreak
from core_engine.components.builtin.sub_workflow.component import SubWorkflow
from core_engine.components.builtin.while_loop.component import While
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.family import CalledWorkflow
from core_engine.kernel.payload import Result
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import Registry, workflow


class Note(Component[Config]):
    """Notes which item it was given, and under which key."""

    id = "note"
    name = "Note"
    description = "Notes."
    category = "test"
    policy = StepPolicy.KEYED

    def __init__(self) -> None:
        self.seen: list[tuple[Any, str]] = []
        self.bad: set[Any] = set()

    def execute(self, context, config, payload):
        self.seen.append((payload.data["item"], context.idempotency_key))
        if payload.data["item"] in self.bad:
            raise ValueError(f"{payload.data['item']} is bad")
        return Result.on("success", {"noted": payload.data["item"]})

    def simulate(self, context, config, payload):
        return Result.on("success", {"simulated": payload.data["item"]})

    @property
    def items(self) -> list[Any]:
        return [item for item, _ in self.seen]


class Busy(Component[Config]):
    """Counts how many of it run at the same time; the first ones wait until there are as many as there shall be."""

    id = "busy"
    name = "Busy"
    description = "Is busy."
    category = "test"
    execution = Execution.ASYNC

    def __init__(self, together: int = 1) -> None:
        self.now = self.most = 0
        self.together = together
        self.enough = asyncio.Event()

    async def execute(self, context, config, payload):
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now == self.together:
            self.enough.set()
        await asyncio.wait_for(self.enough.wait(), 60)
        for _ in range(20):
            await asyncio.sleep(0)
        self.now -= 1
        return Result({"success": payload})


class Shelf:
    """Saved workflows by name, as the engine's presets give them."""

    def __init__(self, **saved: dict[str, Any]) -> None:
        self.saved = saved
        self.version = 1

    def __call__(self, name: str) -> CalledWorkflow:
        if name not in self.saved:
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is no preset {name!r}.")
        return CalledWorkflow(name, self.version, self.saved[name])


def household() -> Registry:
    """A registry with loops, whose gates stand closed."""
    return Registry([ForEach(), While(), LoopBreak(), SubWorkflow(), Note(), Busy()])


def loop(
    items: Any, body: str = "note", *, more: dict[str, Any] | None = None, **config: Any
) -> dict[str, Any]:
    """Build a workflow whose loop has one node inside, ``x``, and a node ``z`` after it."""
    settings = {"module_id": "for_each", "config_values": {"items": items, **config}, **(more or {})}
    return workflow("loop>z", loop=settings, x={"module_id": body, "parent_id": "loop"}, z="talk")
