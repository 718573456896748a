"""The process of one step: what is said in it."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from typing_extensions import override

from core_engine.components.registry import ComponentRegistry
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from core_engine.workers.step_process import ENDED, HEADER, StepProcess
from core_engine.workers.wire import Request, went_well
from shared import logs


class Talking(Component[Config]):
    """Writes a line as any library may, from an event loop of its own."""

    id = name = description = category = "talking"
    execution = Execution.ASYNC

    @override
    async def execute(self, context: Context, config: Config, payload: Payload) -> Result:
        logging.getLogger("some.library").warning("said inside")
        if payload.data == "fail":
            raise ValueError("no")
        return Result.on("success", {})


class Registry:
    """Has that component alone."""

    def find(self, component_id: str) -> Component[Any] | None:
        return Talking() if component_id == "talking" else None

    async def close(self) -> None:
        pass


def request(data: Any) -> bytes:
    return msgspec.json.encode(
        Request(
            "talking", "run-7", "w", "n", "N", 1, "EXECUTE", "k", 0, 0, {}, Payload(data), [], [], 0, 0, {}
        )
    )


@pytest.mark.parametrize(("data", "well"), [({}, True), ("fail", False)])
def test_what_a_library_says_in_it_names_the_run(
    data: Any, well: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, root = tmp_path / "said.txt", logging.getLogger()
    before = root.handlers[:], root.level
    with log.open("w") as out:
        monkeypatch.setattr(sys, "stderr", out)
        logs.configure("worker", level="INFO", as_json=True)
        try:
            with logs.of_run("run-7"):
                process = StepProcess.fork(cast("ComponentRegistry", Registry()), cast("Any", None))
            process.line.sendall(HEADER.pack(0, len(request(data))) + request(data))
            kind, size = HEADER.unpack(process.line.recv(HEADER.size))
            ended = process.line.recv(size)
            process.end()
        finally:
            root.handlers[:], root.level = before
    assert kind == ENDED
    assert went_well(ended) is well
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["message"], line["run"]) for line in lines] == [("said inside", "run-7")]
