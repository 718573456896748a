"""Runs a person's JavaScript in a locked process of its own."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import JsonList, NamedValue, form, typed_values
from core_engine.components.isolation.rungs import Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.routing import routed
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result

_STARTER = """function run(payload, log) {
  const data = payload.data;
  console.log("It works.");
  return { data };
}
"""


class JavaScriptConfig(Config):
    """The code and its limits."""

    code: str = Field(
        _STARTER, max_length=1_000_000,
        description=(
            "Define run(payload, log) and return a result, or set result. payload has data and history; args holds the"
            " arguments below; log(message, level) and console.log write to the run's log. The code has the language"
            " itself, but no network, no files, no timers and no modules."
        ),
        json_schema_extra=form(widget="code", language="javascript", rows=16),
    )  # fmt: skip
    args: JsonList[NamedValue] = Field(
        default_factory=list, title="Arguments", max_length=200,
        description="Names and values handed to the code as args.",
    )  # fmt: skip
    timeout_seconds: float = Field(10.0, gt=0, le=86_400, description="Longest time it may take, in seconds.")
    memory_mb: int = Field(
        128, ge=8, le=1_048_576, title="Memory (MiB)", description="Most memory it may use, in MiB."
    )


class RunJavaScript(Component[JavaScriptConfig]):
    """Runs code."""

    id = "run_javascript"
    name = "JavaScript function"
    description = "Runs your own JavaScript on the data, in a process that can reach nothing else."
    category = "Code"
    execution = Execution.ASYNC
    config_model = JavaScriptConfig
    raw_fields = frozenset({"code"})

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @override
    async def execute(self, context: Context, config: JavaScriptConfig, payload: Payload) -> Result:
        """Run the code; what it returns becomes the data, or the payload and port it names."""
        request = {"code": config.code, "payload": payload.to_wire(), "args": typed_values(config.args)}
        bounds = Bounds(config.timeout_seconds, config.memory_mb)
        value = await self._sandbox.call(Task.JAVASCRIPT, request, bounds, context.log)
        return routed(value, payload)

    @override
    async def simulate(self, context: Context, config: JavaScriptConfig, payload: Payload) -> Result:
        """Pass the payload through; the code is not run."""
        context.log("Simulated: the code was not run.", "DEBUG")
        return Result({"success": payload})
