"""Small components, a registry of them, and an engine's run service on a real journal, for the tests here."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import TypeAdapter

from core_engine.kernel.component import Component, Config, Execution, Port, StepPolicy
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.ports import Frame, StartRun
from core_engine.settings import Limits
from core_engine.storage import EngineStore
from core_engine.workflow import RunService
from core_engine.workflow.environment import no_texts
from shared.clock import Clock, SystemClock
from shared.contract import catalog
from shared.errors import FloworkError

OWNER = "0x" + "a" * 40
EVENTS = {name: TypeAdapter(model) for name, model in catalog.events().items()}


class AddConfig(Config):
    amount: int = 1
    label: str = ""


class Add(Component[AddConfig]):
    """Adds to ``n`` and leaves by success."""

    id = "add"
    name = "Add"
    description = "Adds."
    category = "test"
    config_model = AddConfig

    def execute(self, context, config, payload):
        data = payload.data if isinstance(payload.data, dict) else {"list": payload.data}
        return Result.on("success", {**data, "n": data.get("n", 0) + config.amount, "label": config.label})


class BranchConfig(Config):
    ports: tuple[str, ...] = ("yes",)


class Branch(Component[BranchConfig]):
    """Activates the configured ports."""

    id = "branch"
    name = "Branch"
    description = "Branches."
    category = "test"
    outputs = (Port("yes", "Yes"), Port("no", "No"), Port("maybe", "Maybe"))
    config_model = BranchConfig

    def execute(self, context, config, payload):
        return Result({port: Payload({**payload.data, "port": port}) for port in config.ports})


class FailConfig(Config):
    times: int = 1_000_000
    text: str = "it broke"


class Fail(Component[FailConfig]):
    """Fails a number of times per run and node, then succeeds."""

    id = "fail"
    name = "Fail"
    description = "Fails."
    category = "test"
    config_model = FailConfig

    def execute(self, context, config, payload):
        if context.attempt <= config.times:
            raise ValueError(config.text)
        return Result.on("success", {"attempt": context.attempt})


class TalkConfig(Config):
    lines: int = 1
    popup: Any = None


class Talk(Component[TalkConfig]):
    """Writes lines and shows a popup."""

    id = "talk"
    name = "Talk"
    description = "Talks."
    category = "test"
    config_model = TalkConfig

    def execute(self, context, config, payload):
        for number in range(config.lines):
            context.log(f"line {number}", "INFO")
        if config.popup is not None:
            context.popup("Look", config.popup, {"theme": "dark"})
        return Result({"success": payload})


class Gate(Component[Config]):
    """Waits until the test opens it; tells when a step has arrived."""

    id = "gate"
    name = "Gate"
    description = "Waits."
    category = "test"
    execution = Execution.ASYNC
    policy = StepPolicy.REPEATABLE

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self.open = asyncio.Event()
        self.calls: list[tuple[str, str, int, str]] = []
        self.cancelled = 0

    async def execute(self, context, config, payload):
        self.calls.append((context.run_id, context.node_id, context.attempt, context.idempotency_key))
        self.arrived.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return Result({"success": payload})


class OnceGate(Gate):
    """A gate whose effect must not happen twice."""

    id = "once_gate"
    policy = StepPolicy.ONCE

    async def simulate(self, context, config, payload):
        return Result({"success": payload})


class KeyedGate(OnceGate):
    """A gate whose effect knows its idempotency key."""

    id = "keyed_gate"
    policy = StepPolicy.KEYED


class Effect(Component[Config]):
    """A short plain function with an effect: it notes that it happened."""

    id = "effect"
    name = "Effect"
    description = "Has an effect."
    category = "test"
    policy = StepPolicy.ONCE

    def __init__(self) -> None:
        self.done: list[str] = []
        self.simulated = 0

    def execute(self, context, config, payload):
        self.done.append(f"{context.run_id}/{context.node_id}")
        return Result({"success": payload})

    def simulate(self, context, config, payload):
        self.simulated += 1
        return Result({"success": payload})


class Blocker(Component[Config]):
    """Blocks its thread until the test lets it go."""

    id = "blocker"
    name = "Blocker"
    description = "Blocks."
    category = "test"
    execution = Execution.THREAD

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()

    def execute(self, context, config, payload):
        context.log("on a thread")
        self.entered.set()
        self.release.wait(20)
        return Result.on("success", {"thread": threading.current_thread().name})


class Registry:
    """The components of these tests."""

    def __init__(self, extra: Iterable[Component[Any]] = ()) -> None:
        mine = (Add(), Branch(), Fail(), Talk(), Gate(), OnceGate(), KeyedGate(), Effect(), Blocker())
        self.components: dict[str, Component[Any]] = {item.id: item for item in (*mine, *extra)}

    def find(self, component_id: str) -> Component[Any] | None:
        return self.components.get(component_id)

    def listing(self, component_type: str) -> list[Any]:
        return []

    def __getitem__(self, component_id: str) -> Any:
        return self.components[component_id]


class NoFiles:
    """No step here touches a file."""

    def readable(self, path: str) -> Path:
        raise AssertionError(path)

    def writable(self, path: str) -> Path:
        raise AssertionError(path)


class Watcher:
    """A sink that keeps what it gets, checks each frame against the contract, and can be waited on."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.calls = 0
        self._news = asyncio.Event()

    def __call__(self, frames: Sequence[Frame]) -> None:
        self.calls += 1
        for frame in frames:
            EVENTS[frame["type"]].validate_json(json.dumps(frame), strict=True)
        self.frames += frames
        self._news.set()

    async def until(self, wanted) -> Frame:
        """Wait for a frame that satisfies a condition."""
        async with asyncio.timeout(60):
            while True:
                for frame in self.frames:
                    if wanted(frame):
                        return frame
                self._news.clear()
                await self._news.wait()

    async def end(self) -> str:
        """Wait for the run's end and return its status."""
        frame = await self.until(is_final)
        return frame["status_data"]["status"]

    def of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == kind]

    def statuses(self, node: str) -> list[str]:
        return [frame["status"] for frame in self.of("NODE_EXECUTION_METRIC") if frame["node_id"] == node]

    @property
    def seqs(self) -> list[int]:
        return [frame["seq"] for frame in self.frames]


def is_final(frame: Frame) -> bool:
    return frame["type"] == "workflow_status_update" and frame["status_data"]["status"] in {
        "SUCCEEDED",
        "FAILED",
        "STOPPED",
    }


def workflow(*edges: str, **nodes: Any) -> dict[str, Any]:
    """Build workflow_data: ``workflow("a>b", "a:no>c", a="add", b={"module_id": "fail", "retry": {...}})``."""
    described = []
    for name, given in nodes.items():
        settings = {"module_id": given} if isinstance(given, str) else given
        described.append({"id": name, "name": name.upper(), "config_values": {}, **settings})
    connections = []
    for text in edges:
        source, target = text.split(">")
        source, _, port = source.partition(":")
        connection = {"id": text, "source": source, "target": target}
        connections.append(connection | ({"source_port_name": port} if port else {}))
    return {"nodes": described, "connections": connections}


def chain(length: int, module: str = "add") -> dict[str, Any]:
    names = [f"n{number}" for number in range(length)]
    edges = [f"{one}>{other}" for one, other in itertools.pairwise(names)]
    return workflow(*edges, **dict.fromkeys(names, module))


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that happens on another thread or that nobody announces."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)


class Bench:
    """A run service on a real journal in a folder of the test."""

    executor: ClassVar[Callable[[EngineStore], Any]] = staticmethod(lambda _: None)
    """Makes what carries steps out where that is not the engine itself (`tests.core_engine.places`)."""

    def __init__(
        self,
        folder: Path,
        registry: Registry,
        *,
        clock: Clock | None = None,
        files: Any = None,
        presets: Any = None,
        park_after: float = 2.0,
        write_text: Any = no_texts,
        **limits: int,
    ) -> None:
        self.store = EngineStore.open(folder)
        self.registry = registry
        self.fatal: list[FloworkError] = []
        self.runs = RunService(
            self.store,
            registry,
            files or NoFiles(),
            Limits(**limits),
            clock=clock or SystemClock(),
            rng=random.Random(7),
            on_fatal=self.fatal.append,
            presets=presets,
            park_after=park_after,
            write_text=write_text,
            executor=type(self).executor(self.store),
        )

    async def start(self, data: dict[str, Any], run_id: str = "run-1", **more: Any) -> Watcher:
        """Start a run and return its watcher."""
        watcher = Watcher()
        more.setdefault("started_by", OWNER)
        await self.runs.start(StartRun(run_id=run_id, workflow_data=data, **more), watcher)
        return watcher

    async def run(self, data: dict[str, Any], run_id: str = "run-1", **more: Any) -> Watcher:
        """Start a run and wait for its end."""
        watcher = await self.start(data, run_id, **more)
        await watcher.end()
        return watcher

    async def nodes(self, run_id: str = "run-1") -> dict[str, str]:
        """Return each node's status."""
        details = await self.runs.details(run_id)
        return {node.node_id: node.status.value for node in details.nodes}

    async def output(self, connection: str, run_id: str = "run-1") -> Any:
        """Return the data that went along a connection, None when it stayed dead."""
        history = await self.runs.connection_history(run_id, connection)
        return history[0]["data"] if history else None

    async def close(self, grace: float = 0.0) -> None:
        await self.runs.close(grace)
        self.store.close()


@asynccontextmanager
async def bench(folder: Path, registry: Registry | None = None, **options: Any) -> AsyncIterator[Bench]:
    made = Bench(folder, registry or Registry(), **options)
    try:
        yield made
    finally:
        await made.close()
