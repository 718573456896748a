"""A step whose effect can be counted from outside the engine, also after it was killed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from core_engine.kernel.component import Component, Config, StepPolicy
from core_engine.kernel.payload import Result


def append(path: Path, line: str) -> None:
    """Append a line in one write: it is there whole or not at all."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, f"{line}\n".encode())
    finally:
        os.close(file)


class Mark(Component[Config]):
    """Leaves a line in a file: run, node, item and lap. It must not happen twice."""

    id = "mark"
    name = "Mark"
    description = "Marks."
    category = "test"
    policy = StepPolicy.ONCE

    def __init__(self, path: Path) -> None:
        self.path = path

    def execute(self, context: Any, config: Config, payload: Any) -> Result:
        append(self.path, f"{context.run_id} {context.node_id} {context.iteration} {context.round}")
        return Result({"success": payload})

    def simulate(self, context: Any, config: Config, payload: Any) -> Result:
        return Result({"success": payload})
