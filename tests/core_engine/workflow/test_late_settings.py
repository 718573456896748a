"""Settings with Jinja2 statements: worked out in a real locked process, before the step begins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from core_engine.components.isolation.rungs import Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.payload import Payload, Result
from shared.errors import FloworkError
from tests.core_engine.workflow.workshop import Bench, Registry, eventually, workflow

LIST = "{% for x in data.list if x > 1 %}{{ loop.index }}:{{ x }};{% endfor %}"
ENDLESS = "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}"


class EchoConfig(Config):
    text: str
    more: dict[str, Any] = Field(default_factory=dict)


class Echo(Component[EchoConfig]):
    """Says its settings."""

    name = "Echo"
    description = "Says its settings."
    category = "test"
    config_model = EchoConfig

    def __init__(self, execution: Execution) -> None:
        self.id = f"echo_{execution.value}"
        self.execution = execution
        self.calls = 0

    def execute(self, context: Any, config: EchoConfig, payload: Payload) -> Any:
        self.calls += 1
        context.log(f"says {config.text}")
        result = Result.on("success", {"text": config.text, **config.more})

        async def later() -> Result:
            return result

        return later() if self.execution is Execution.ASYNC else result


@asynccontextmanager
async def bench(folder: Path, seconds: float = 10.0) -> AsyncIterator[Bench]:
    sandbox = Sandbox(most=Bounds(60, 256))

    async def write_text(template: str, values: dict[str, Any]) -> str:
        request = {"template": template, "values": values}
        return str(await sandbox.call(Task.TEMPLATE, request, Bounds(seconds, 256), lambda *_: None))

    made = Bench(folder, Registry([Echo(kind) for kind in Execution]), write_text=write_text)
    try:
        yield made
    finally:
        await made.close()
        await sandbox.close()


def echo(kind: Execution, text: str, **more: Any) -> dict[str, Any]:
    return {"module_id": f"echo_{kind.value}", "config_values": {"text": text, **more}}


def payload(**data: Any) -> Payload:
    return Payload(data)


async def test_statements_see_the_data_and_earlier_nodes_in_every_kind_of_step(tmp_path: Path) -> None:
    back = "{% if nodes.INLINE.data.text %}{{ nodes.INLINE.data.text | upper }}{% endif %}"
    nodes = {
        "inline": echo(Execution.INLINE, LIST, more={"plain": "{{ data.list[0] }}", "deep": [LIST]}),
        "thread": echo(Execution.THREAD, back),
        "later": echo(Execution.ASYNC, "{% set t = data.text %}{{ t | length }}"),
    }
    async with bench(tmp_path) as of:
        await of.run(
            workflow("inline>thread", "thread>later", **nodes), initial_payload=payload(list=[1, 2, 3])
        )
        assert set((await of.nodes()).values()) == {"SUCCESS"}
        said = [f["message"] for f in await logs(of)]
        assert said == ["says 1:2;2:3;", "says 1:2;2:3;", "says 8"]


async def logs(of: Bench, run_id: str = "run-1") -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = []
    await of.runs.subscribe(run_id, frames.extend, 0)
    await eventually(lambda: any(f.get("status_data", {}).get("end_time") for f in frames))
    return [frame for frame in frames if frame["type"] == "log" and frame["message"].startswith("says")]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{% if data.nobody.knows %}{% endif %}", "has no attribute 'nobody'"),
        ("{% if ''.__class__ %}{{ ''.__class__.__mro__ }}{% endif %}", "unsafe"),
        ("{% if 1 %}{{ 1 / 0 }}{% endif %}", "ZeroDivisionError"),
        (ENDLESS, "longer than 0.5 s"),
    ],
)
async def test_a_template_that_goes_wrong_fails_its_step_alone(tmp_path: Path, text: str, error: str) -> None:
    async with bench(tmp_path, seconds=0.5 if text is ENDLESS else 10) as of:
        await of.run(workflow("a:error>b", a=echo(Execution.INLINE, text), b="add"))
        states = {node.node_id: node for node in (await of.runs.details("run-1")).nodes}
        assert (states["a"].status, states["b"].status) == ("ERROR", "SUCCESS")
        assert error in (states["a"].error or "")
        assert of.registry["echo_inline"].calls == 0


async def test_a_stop_ends_a_step_whose_settings_are_being_worked_out(tmp_path: Path) -> None:
    async with bench(tmp_path, seconds=60) as of:
        watcher = await of.start(workflow(a=echo(Execution.THREAD, ENDLESS)))
        await eventually(lambda: any(f["type"] == "NODE_EXECUTION_METRIC" for f in watcher.frames))
        await of.runs.stop("run-1", "0xa")
        await watcher.end()
        assert await of.nodes() == {"a": "CANCELLED"}
        assert of.registry["echo_thread"].calls == 0
        await of.run(workflow(a=echo(Execution.INLINE, "{% if 1 %}free{% endif %}")), "run-2")
        assert await of.nodes("run-2") == {"a": "SUCCESS"}


async def test_a_broken_template_is_refused_before_the_run_begins(tmp_path: Path) -> None:
    async with bench(tmp_path) as of:
        problems = of.runs.validate(workflow(a=echo(Execution.INLINE, "{% for x in data %}")))
        assert [(p.node_id, p.field) for p in problems] == [("a", "text")]
        with pytest.raises(FloworkError, match="line 1: Unexpected end of template"):
            await of.start(workflow(a=echo(Execution.INLINE, "{% for x in data %}")))


async def test_where_nothing_can_be_locked_in_such_a_step_fails_and_says_why(tmp_path: Path) -> None:
    of = Bench(tmp_path, Registry([Echo(Execution.INLINE)]))
    try:
        await of.run(workflow(a=echo(Execution.INLINE, "{% if 1 %}x{% endif %}")))
        (node,) = (await of.runs.details("run-1")).nodes
        assert (node.status, "no locked process" in (node.error or "")) == ("ERROR", True)
    finally:
        await of.close()
