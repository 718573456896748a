"""``python -m tests.support.crew_worker``: a worker as it is shipped, which also has the components of tests.

Those without a state of their own run here, as any component does. What a test looks at or holds up is called at the
desk in the test's process (`tests.support.crew`), for as long as this worker has the step.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import sys
from typing import Any

from typing_extensions import override

from core_engine.components.files import RootedFiles
from core_engine.components.registry import ComponentRegistry
from core_engine.kernel.component import Component, Config, Execution
from core_engine.settings import EngineSettings
from core_engine.workers import __main__ as command
from core_engine.workers import consumer
from core_engine.workers.supervisor import Supervisor
from shared.clock import Clock
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.test_usage import Spend, ThreadSpend
from tests.core_engine.workflow.workshop import Add, Branch, Fail, Talk
from tests.support.crew import DESK, HEAD, Call

FACTS = (
    "run_id", "workflow", "node_id", "node_name", "attempt", "mode", "idempotency_key", "iteration", "round",
    "inputs", "dead_inputs",
)  # fmt: skip
HERE = {component.id: component for component in (Add(), Branch(), Fail(), Talk(), Spend(), ThreadSpend())}


class Away(Component[Config]):
    """Stands for a component that is in the test's process."""

    id, name, description, category = "away", "Away", "Is at the desk.", "test"
    execution = Execution.THREAD

    @override
    def parse_config(self, values: Any) -> Any:
        return values

    @override
    def execute(self, context: Any, config: Any, payload: Any) -> Any:
        facts = {name: getattr(context, name) for name in FACTS} | {"spent": context.spent()}
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(os.environ[DESK])
            body = pickle.dumps(tuple(Call(config, payload, facts)))
            line.sendall(HEAD.pack(len(body)) + body)
            while True:
                kind, *said = pickle.loads(_exactly(line, HEAD.unpack(_exactly(line, HEAD.size))[0]))
                if kind == "return":
                    return said[0]
                if kind == "raise":
                    raise said[0]
                if kind == "refuse":
                    raise FloworkError(ErrorCode(said[0]), said[1], details=said[2])
                getattr(context, kind)(*said[0], **said[1])

    simulate = execute


def _exactly(line: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = line.recv(size - len(content))
        if not part:
            raise ConnectionError("the desk is closed")
        content += part
    return content


class CrewRegistry:
    """The shipped components, and those of tests."""

    def __init__(self, shipped: ComponentRegistry) -> None:
        self._shipped = shipped

    def find(self, component_id: str) -> Component[Any]:
        return self._shipped.find(component_id) or HERE.get(component_id) or Away()

    async def close(self) -> None:
        await self._shipped.close()


_open = consumer.open_worker_registry


def _with_tests(settings: EngineSettings, clock: Clock) -> tuple[Any, RootedFiles]:
    shipped, files = _open(settings, clock)
    return CrewRegistry(shipped), files


class CrewSupervisor(Supervisor):
    """Starts this module as the consumer."""

    @override
    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "tests.support.crew_worker", self.name,
            env=dict(self._environ), start_new_session=True,
        )  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) > 1:
        consumer.open_worker_registry = _with_tests
        sys.exit(consumer.main(sys.argv[1], os.environ))
    command.Supervisor = CrewSupervisor  # type: ignore[misc]
    sys.exit(command.main(os.environ))
