"""Runs the cases of test files, with the shipped components, on a store that is thrown away."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core_engine.components.registry import open_registry
from core_engine.flowtest.compare import Unlike, compare
from core_engine.kernel.payload import Payload
from core_engine.kernel.ports import Frame, StartRun
from core_engine.settings import PREFIXES, EngineSettings
from core_engine.storage import EngineStore
from core_engine.workflow import RunService, Variable
from core_engine.workflow.aids import Pin, aids_option
from shared.clock import Clock, SystemClock
from shared.contract.flow_test import (
    CaseReport,
    Difference,
    FileReport,
    FlowTestCase,
    FlowTestJob,
    FlowTestReport,
    NodeExpectation,
)
from shared.contract.run import RunStatus
from shared.errors import FloworkError
from shared.settings import load

_CASES_AT_ONCE = 4
_SEED = 0


class CaseVariables:
    """The variables of each case, which stands in for their owner."""

    def __init__(self) -> None:
        self._cases: dict[str, Mapping[str, Any]] = {}

    def enter(self, owner: str, values: Mapping[str, Any]) -> None:
        """Give a case its variables."""
        self._cases[owner] = values

    def get(self, name: str, owner: str) -> Variable | None:
        """Return a variable of a case."""
        values = self._cases.get(owner, {})
        return Variable(values[name]) if name in values else None


class _End:
    """Hears of a run until its end."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()

    def __call__(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            if frame["type"] == "workflow_status_update" and RunStatus(frame["status_data"]["status"]).final:
                self.reached.set()


@dataclass(frozen=True, slots=True)
class Stage:
    """The run service that the cases share."""

    runs: RunService
    variables: CaseVariables
    clock: Clock

    async def case(self, workflow: dict[str, Any], case: FlowTestCase, run_id: str) -> CaseReport:
        """Run a case and compare."""
        since = self.clock.monotonic()
        try:
            problem, differences = await self._run(workflow, case, run_id)
        except (FloworkError, ValueError) as error:
            problem = error.message if isinstance(error, FloworkError) else str(error)
            differences = []
        return CaseReport(
            name=case.name,
            passed=not problem and not differences,
            seconds=round(self.clock.monotonic() - since, 3),
            problem=problem,
            differences=differences,
        )

    async def _run(
        self, workflow: dict[str, Any], case: FlowTestCase, run_id: str
    ) -> tuple[str | None, list[Difference]]:
        self.variables.enter(run_id, case.variables)
        end = _End()
        request = StartRun(
            run_id=run_id,
            workflow_data=workflow,
            started_by=run_id,
            initial_payload=Payload.from_value(case.initial_payload),
            mode=case.mode,
            start_node_id=case.start_node_id,
            options=aids_option({node: Pin.read(outputs) for node, outputs in case.mocks.items()}, ()),
        )
        await self.runs.start(request, end)
        try:
            async with asyncio.timeout(case.timeout_seconds):
                await end.reached.wait()
        except TimeoutError:
            return await self._late(case, run_id), []
        return None, await self._compare(case, run_id)

    async def _late(self, case: FlowTestCase, run_id: str) -> str:
        nodes = (await self.runs.details(run_id)).nodes
        busy = [f"{node.node_id} {node.status.value}" for node in nodes if node.status.value in _BUSY]
        await self.runs.stop(run_id, "flow test")
        where = ", ".join(busy) or "nothing runs"
        return f"The run did not end within {case.timeout_seconds:g} s ({where}); mock what waits."

    async def _compare(self, case: FlowTestCase, run_id: str) -> list[Difference]:
        details = await self.runs.details(run_id)
        expect, run = case.expect, details.run
        found = _named(None, compare(expect.status.value, run.status.value, "status"))
        if found and run.error_message:
            found.append(Difference(path="error", expected="(none)", actual=run.error_message))
        if expect.error is not None:
            found += _named(None, compare(expect.error, run.error_message, "error"))
        states = {node.node_id: node for node in details.nodes}
        results = await self.runs.results(run_id)
        for node_id, wanted in expect.nodes.items():
            state = states.get(node_id)
            if state is None:
                found.append(Difference(node_id=node_id, path="node", expected="a node", actual="(missing)"))
                continue
            if wanted.status is not None:
                found += _named(node_id, compare(wanted.status.value, state.status.value, "status"))
            if wanted.error is not None:
                found += _named(node_id, compare(wanted.error, state.error, "error"))
            found += _node_data(node_id, wanted, results.get(node_id, {}))
        return found


_BUSY = frozenset({"RUNNING", "RETRYING", "WAITING", "PENDING"})


def _node_data(node_id: str, wanted: NodeExpectation, outputs: Mapping[str, Any]) -> list[Difference]:
    if "data" not in wanted.model_fields_set and wanted.port is None:
        return []
    port = wanted.port or next(iter(outputs), None)
    if port is None or port not in outputs:
        actual = f"it gave {', '.join(outputs) or 'nothing'}"
        return [Difference(node_id=node_id, path="port", expected=port or "some data", actual=actual)]
    if "data" not in wanted.model_fields_set:
        return []
    return _named(node_id, compare(wanted.data, outputs[port]["data"]))


def _named(node_id: str | None, unlike: Sequence[Unlike]) -> list[Difference]:
    return [
        Difference(node_id=node_id, path=item.path, expected=item.expected, actual=item.actual)
        for item in unlike
    ]


@asynccontextmanager
async def open_stage(folder: Path) -> AsyncIterator[Stage]:
    """Open a run service in an empty folder, with nothing of this machine's settings."""
    settings = load(EngineSettings, {"FLOWORK_DATA_DIR": str(folder)}, prefixes=PREFIXES)
    store = EngineStore.open(settings.data.engine_dir)
    clock, variables = SystemClock(), CaseVariables()
    registry, files = open_registry(settings, store, clock)
    runs = RunService(
        store,
        registry,
        files,
        settings.limits,
        clock=clock,
        rng=random.Random(_SEED),  # noqa: S311 - only spreads retries
        on_fatal=_give_up,
        variables=variables,
        write_text=registry.write_text,
    )
    try:
        await runs.recover()
        yield Stage(runs, variables, clock)
    finally:
        await runs.close(0)
        await registry.close()
        store.close()


async def run_files(jobs: Sequence[FlowTestJob]) -> FlowTestReport:
    """Run all cases, some at a time; reports come in the order of the cases."""
    turns = asyncio.Semaphore(_CASES_AT_ONCE)
    with tempfile.TemporaryDirectory(prefix="flowork-test-", ignore_cleanup_errors=True) as folder:
        async with open_stage(Path(folder)) as engine:

            async def take(job: FlowTestJob, case: FlowTestCase, run_id: str) -> CaseReport:
                async with turns:
                    return await engine.case(job.workflow, case, run_id)

            reports = []
            for place, job in enumerate(jobs):
                cases = [take(job, case, f"test-{place}-{n}") for n, case in enumerate(job.cases)]
                reports.append(FileReport(path=job.path, cases=await asyncio.gather(*cases)))
    return FlowTestReport(files=reports)


def _give_up(error: FloworkError) -> None:
    raise SystemExit(error.message)
