"""What the engine acts upon in a simulation, and remembers every act: the outside world outlives each crash."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import msgspec

from core_engine.components.builtin.for_each.component import ForEach
from core_engine.components.builtin.manual_approval.component import ManualApproval
from core_engine.components.builtin.sub_workflow.component import SubWorkflow
from core_engine.components.builtin.wait_for_event.component import EventWaitConfig, WaitForEvent
from core_engine.components.builtin.wait_until.component import WaitUntil
from core_engine.kernel.component import Component, Config, Execution, Port, StepPolicy
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import Suspend
from core_engine.storage.rows import SEGMENT_BITS
from tests.simulation.disk import Disk

Step = tuple[str, str, int, int]
EVENT_NAME = "order.paid"


@dataclass
class World:
    """Every act of every step, over all processes. ``process`` counts the engine's starts."""

    disk: Disk
    rng: random.Random
    process: int = 0
    active: set[tuple[str, str]] = field(default_factory=set)
    acts: dict[Step, list[tuple[int, int, str, str]]] = field(default_factory=dict)
    failed: set[tuple[Step, int]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def died(self) -> None:
        """Take note that the process is gone with all it did."""
        self.active.clear()

    def begin(self, component: Component[Any], context: Any) -> None:
        """A step's code begins to run; what it may not do then is noted as wrong."""
        step: Step = (context.run_id, context.node_id, context.round, context.iteration)
        name = f"{'/'.join(map(str, step))} attempt {context.attempt}"
        if step[:2] in self.active:
            self.wrong.append(f"{name} runs twice at the same time")
        self.active.add(step[:2])
        earlier = self.acts.setdefault(step, [])
        if component.policy is StepPolicy.ONCE:
            if any(attempt == context.attempt for _, attempt, _, _ in earlier):
                self.wrong.append(f"{name} has its effect a second time")
            if any((step, attempt) not in self.failed for _, attempt, _, _ in earlier):
                self.wrong.append(f"{name} follows an attempt of which nobody knows the end")
        if component.policy is not StepPolicy.REPEATABLE and not self._is_journaled(context):
            self.wrong.append(f"{name} runs before its start is in the journal")
        if component.policy is StepPolicy.KEYED and {key for *_, key in earlier} - {context.idempotency_key}:
            self.wrong.append(f"{name} has another key than before")
        earlier.append((self.process, context.attempt, component.policy.value, context.idempotency_key))

    def end(self, context: Any, *, failed: bool) -> None:
        """A step's code has ended in a way that its caller hears of."""
        self.active.discard((context.run_id, context.node_id))
        if failed:
            step: Step = (context.run_id, context.node_id, context.round, context.iteration)
            self.failed.add((step, context.attempt))

    def _is_journaled(self, context: Any) -> bool:
        connection = self.disk.connection
        row = connection.execute("SELECT number FROM run WHERE id = ?", (context.run_id,)).fetchone()
        if row is None:
            return False
        span = (row[0] << SEGMENT_BITS, (row[0] + 1) << SEGMENT_BITS)
        found = connection.execute("SELECT body FROM segment WHERE key > ? AND key < ?", span)
        node = context.node.index if hasattr(context, "node") else None  # a worker's step knows its id only
        return any(
            record[0] == "started" and node in (None, record[3]) and record[4] == context.attempt
            for (body,) in found
            for record in msgspec.json.decode(body)
        )

    def most_acts(self) -> Counter[str]:
        """Return how many times code of each policy ran."""
        return Counter(policy for acts in self.acts.values() for _, _, policy, _ in acts)


class ActConfig(Config):
    """``fails``: the chance that an attempt fails; ``seconds``: how long it takes on average."""

    fails: float = 0.0
    seconds: float = 0.1
    large: bool = False


class Act(Component[ActConfig]):
    """Does something in the world."""

    id = "pure"
    name = "Act"
    description = "Acts."
    category = "test"
    config_model = ActConfig
    outputs: ClassVar[tuple[Port, ...]] = (
        Port("success", "Success"),
        Port("error", "Error"),
        Port("other", "Other"),
    )

    def __init__(self, world: World) -> None:
        self.world = world

    def execute(self, context: Any, config: ActConfig, payload: Payload) -> Any:
        self.world.begin(self, context)
        return self.act(context, config)

    def simulate(self, context: Any, config: ActConfig, payload: Payload) -> Any:
        return Result({"success": payload})

    def act(self, context: Any, config: ActConfig) -> Result:
        rng = self.world.rng
        failed = rng.random() < config.fails
        self.world.end(context, failed=failed)
        if rng.random() < 0.2:
            context.log("an act")
        if failed:
            raise ValueError("it failed")
        data = {"n": rng.randrange(100), "x": "y" * 70_000 if config.large else ""}
        return Result.on("other" if rng.random() < 0.1 else "success", data)


class OnceInline(Act):
    """A short step with an effect."""

    id = "once_inline"
    policy = StepPolicy.ONCE


class Slow(Act):
    """A step that takes its time and may be repeated."""

    id = "slow"
    execution = Execution.ASYNC

    async def execute(self, context: Any, config: ActConfig, payload: Payload) -> Any:
        self.world.begin(self, context)
        cancelled = False
        try:
            await asyncio.sleep(self.world.rng.expovariate(1 / config.seconds))
        except asyncio.CancelledError:
            cancelled = True
            raise
        finally:
            if cancelled:
                self.world.active.discard((context.run_id, context.node_id))
        return self.act(context, config)


class SlowOnce(Slow):
    """A slow step with an effect that must not happen twice."""

    id = "slow_once"
    policy = StepPolicy.ONCE


class SlowKeyed(Slow):
    """A slow step whose effect knows its key."""

    id = "slow_keyed"
    policy = StepPolicy.KEYED


class Blocking(Act):
    """A step on a thread."""

    id = "blocking"
    execution = Execution.THREAD


class BlockingOnce(Blocking):
    """A step on a thread, with an effect."""

    id = "blocking_once"
    policy = StepPolicy.ONCE


class WaitForAct(WaitForEvent):
    """A wait for an event, by a token that the seed decides."""

    def __init__(self, world: World) -> None:
        self.world = world

    def execute(self, context: Any, config: EventWaitConfig, payload: Payload) -> Suspend:
        wait = super().execute(context, config, payload)
        assert wait.event
        return replace(wait, event=replace(wait.event, token=f"{self.world.rng.getrandbits(128):032x}"))


ACTS = (Act, OnceInline, Slow, SlowOnce, SlowKeyed, Blocking, BlockingOnce)


class Parts:
    """The registry of a simulation."""

    def __init__(self, world: World) -> None:
        mine: list[Any] = [kind(world) for kind in ACTS]
        mine += [ForEach(), SubWorkflow(), WaitUntil(), ManualApproval(), WaitForAct(world)]
        self._components = {component.id: component for component in mine}

    def find(self, component_id: str) -> Component[Any] | None:
        return self._components.get(component_id)

    def listing(self, component_type: str) -> list[Any]:
        return []


_PORTS: dict[str, list[str | None]] = {
    "manual_approval": ["approved", "rejected", "error"],
    "for_each": [None, None, "error"],
    "sub_workflow": [None, None, "error"],
    "wait_until": [None, "error"],
}


def random_workflow(rng: random.Random, *, depth: int = 0, most: int = 6) -> dict[str, Any]:
    """Return a workflow of a few nodes with anything that nodes can have."""
    count = rng.randint(1, most if depth == 0 else min(most, 3))
    nodes = [_node(rng, f"n{place}", depth) for place in range(count)]
    connections = []
    for target in range(1, count):
        for source in rng.sample(range(target), rng.randint(0, min(2, target))):
            port = rng.choice(_PORTS.get(nodes[source]["module_id"], [None, None, "error", "other"]))
            connection = {"source": f"n{source}", "target": f"n{target}"}
            connections.append(connection | ({"source_port_name": port} if port else {}))
    for place, connection in enumerate(connections):
        connection["id"] = f"e{place}"
    data: dict[str, Any] = {"nodes": nodes, "connections": connections}
    loops = [node["id"] for node in nodes if node["module_id"] == "for_each"]
    nodes += [_node(rng, f"{name}b", 2) | {"parent_id": name} for name in loops]
    if depth == 0:
        _add_flow(rng, data, count)
    return data


def with_events(rng: random.Random, data: dict[str, Any]) -> None:
    """Let some of a workflow's waits for a time be waits for an event."""
    for node in data["nodes"]:
        if node["module_id"] == "wait_until" and rng.random() < 0.6:
            node["module_id"] = "wait_for_event"
            seconds = rng.choice([0, 0, 0.5, 30])
            node["config_values"] = {"event_name": EVENT_NAME, "timeout_seconds": seconds}


def _add_flow(rng: random.Random, data: dict[str, Any], count: int) -> None:
    if rng.random() < 0.15:
        data["nodes"].append(_node(rng, "last", 2) | {"finally": True})
    if rng.random() < 0.1:
        data["global_loop_config"] = {"isEnabled": True, "iterations": 2}
    if rng.random() < 0.1:
        data["settings"] = {"flow": {"deadline_seconds": rng.uniform(1, 20)}}
    if count > 1 and rng.random() < 0.1:
        rng.choice(data["nodes"][1:count])["join"] = "any"


def _node(rng: random.Random, name: str, depth: int) -> dict[str, Any]:
    kinds = [
        "pure",
        "once_inline",
        "slow",
        "slow_once",
        "slow_keyed",
        "blocking",
        "blocking_once",
        "wait_until",
    ]
    more = ["manual_approval", "for_each", "sub_workflow"] if depth < 2 else []
    kind = rng.choice(kinds + (more if depth == 0 else []))
    node: dict[str, Any] = {
        "id": name,
        "name": name,
        "module_id": kind,
        "config_values": _settings(rng, kind),
    }
    if kind in {"for_each", "sub_workflow", "manual_approval", "wait_until"}:
        return node
    if rng.random() < 0.4:
        node["retry"] = {"attempts": rng.randint(2, 4), "delay_seconds": rng.choice([0.0, 0.5, 3.0])}
    if kind.startswith("slow") and rng.random() < 0.2:
        node["timeout_seconds"] = 0.3
    if rng.random() < 0.1:
        node["concurrency"] = {"key": "shared", "most": 1}
    if rng.random() < 0.05:
        node["disabled"] = True
    if kind == "slow" and rng.random() < 0.1:
        node["config_values"] |= {"enable_loop": True, "iterations": 3}
    return node


def _settings(rng: random.Random, kind: str) -> dict[str, Any]:
    if kind == "for_each":
        return {
            "items": list(range(rng.randint(0, 4))),
            "parallel": rng.randint(1, 3),
            "on_error": rng.choice(["stop", "continue"]),
        }
    if kind == "sub_workflow":
        return {"preset_name": rng.choice(["one", "two"]), "wait": rng.random() < 0.8}
    if kind == "wait_until":
        return {"seconds": rng.choice([0, 0, 0.5, 0.5, 5, 5, 30, 30, 200])}
    if kind == "manual_approval":
        return {}
    return {
        "fails": rng.choice([0.0, 0.0, 0.0, 0.3, 1.0]),
        "seconds": rng.choice([0.01, 0.2, 2.0]),
        "large": rng.random() < 0.02,
    }
