"""A step as components see it, with real files, a real sandbox and nothing made up but its ids."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core_engine.components.files import RootedFiles
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.network import NetworkPolicy
from core_engine.components.registry import ComponentRegistry, Services
from core_engine.components.state import ComponentState
from core_engine.components.switches import Switches
from core_engine.kernel.context import Spent
from core_engine.kernel.payload import Input, Payload, Result
from core_engine.kernel.ports import Frame, StartRun
from core_engine.settings import Limits
from core_engine.storage import EngineStore
from core_engine.workflow import RunService
from core_engine.workflow.usage import Spending, Usage
from shared.clock import ManualClock, SystemClock
from shared.contract.run import RunDetails, RunMode

FINAL = {"SUCCEEDED", "FAILED", "STOPPED"}


@dataclass
class Step:
    """A `core_engine.kernel.context.Context` that remembers what the component did."""

    files: RootedFiles
    mode: RunMode = RunMode.EXECUTE
    inputs: tuple[Input, ...] = ()
    run_id: str = "run-1"
    workflow: str = "preset Mine"
    node_id: str = "node-1"
    node_name: str = "The step"
    attempt: int = 1
    idempotency_key: str = "key-of-the-step"
    logs: list[tuple[str, str]] = field(default_factory=list)
    popups: list[tuple[str, Any, dict[str, Any]]] = field(default_factory=list)
    spendings: list[dict[str, Any]] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)

    def log(self, message: str, level: str = "INFO") -> None:
        self.logs.append((level, message))

    def popup(self, title: str, content: Any, config: dict[str, Any] | None = None) -> None:
        self.popups.append((title, content, config or {}))

    def spend(self, kind: str, **more: Any) -> None:
        self.spendings.append({"kind": kind, **more})
        self.usage.add(Spending.of(kind, **more).record(1, 1, 0, self.attempt))

    def spent(self) -> Spent:
        return self.usage.total()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder that workflows may use."""
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def step(tmp_path: Path, root: Path) -> Step:
    return Step(RootedFiles([root], tmp_path / "data"))


@pytest.fixture
def clock() -> ManualClock:
    """The clock of the state that components keep; standing still at the present time."""
    return ManualClock(SystemClock().now_ms())


@pytest.fixture
async def state(
    tmp_path_factory: pytest.TempPathFactory, clock: ManualClock
) -> AsyncIterator[ComponentState]:
    """What components keep over runs."""
    store = EngineStore.open(tmp_path_factory.mktemp("component-state"))
    yield ComponentState(store, clock)
    await asyncio.to_thread(store.close)


@pytest.fixture
async def registry(state: ComponentState, clock: ManualClock) -> AsyncIterator[ComponentRegistry]:
    network = NetworkPolicy(["127.0.0.0/8", "::1/128"])
    services = Services(
        sandbox=Sandbox(most=Bounds(seconds=60, memory_mb=512), network=network),
        network=network,
        state=state,
        clock=clock,
        switches=Switches(True, True),
    )
    registry = ComponentRegistry(services)
    yield registry
    await registry.close()


Run = Callable[..., Any]


@pytest.fixture
def run(registry: ComponentRegistry, step: Step) -> Run:
    """Run a component: ``await run("delay", {"seconds": 0}, {"a": 1})`` returns its `Result`."""

    async def call(component_id: str, config: dict[str, Any], data: Any = None, **changes: Any) -> Result:
        component = registry.find(component_id)
        assert component is not None
        for name, value in changes.items():
            setattr(step, name, value)
        payload = data if isinstance(data, Payload) else Payload({} if data is None else data)
        result = component.call(step, component.parse_config(config), payload)
        result = result if isinstance(result, Result) else await result
        assert isinstance(result, Result)
        return result

    return call


class Engine:
    """Real runs of the shipped components on a real journal."""

    def __init__(self, folder: Path, registry: ComponentRegistry, files: RootedFiles) -> None:
        self._store = EngineStore.open(folder)
        self.service = RunService(
            self._store,
            registry,
            files,
            Limits(),
            clock=SystemClock(),
            rng=random.Random(7),
            on_fatal=self._note,
        )
        self._numbers = itertools.count(1)
        self.fatal: list[Exception] = []

    async def run(
        self, workflow: dict[str, Any], data: Any = None, mode: RunMode = RunMode.EXECUTE
    ) -> tuple[RunDetails, list[Frame]]:
        """Run a workflow to its end; return how it went and all its events."""
        frames: list[Frame] = []
        ended = asyncio.Event()

        def sink(batch: Sequence[Frame]) -> None:
            frames.extend(batch)
            if any(frame.get("status_data", {}).get("status") in FINAL for frame in batch):
                ended.set()

        run_id = f"run-{next(self._numbers)}"
        payload = Payload.from_value(workflow.get("initial_payload") if data is None else {"data": data})
        request = StartRun(run_id, workflow, "0x" + "a" * 40, payload, mode)
        await self.service.start(request, sink)
        async with asyncio.timeout(60):
            await ended.wait()
        assert not self.fatal
        return await self.service.details(run_id), frames

    async def close(self) -> None:
        await self.service.close(5)
        await asyncio.to_thread(self._store.close)

    def _note(self, error: Exception) -> None:
        self.fatal.append(error)


@pytest.fixture
async def engine(tmp_path: Path, registry: ComponentRegistry, step: Step) -> AsyncIterator[Engine]:
    made = Engine(tmp_path / "data" / "engine", registry, step.files)
    yield made
    await made.close()
