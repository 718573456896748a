"""Writes a text from data with a Jinja2 template."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import JsonList, NamedValue, form, typed_values
from core_engine.components.isolation.rungs import Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class TemplateConfig(Config):
    """The template and what it sees."""

    template: str = Field(
        max_length=200_000,
        description=(
            "A Jinja2 template. It sees data, inputs (the data of each incoming connection) and the values below."
            " Filters of ours: markdown (shows a value as it is), thousands (1,234)."
        ),
        json_schema_extra=form(widget="code", language="jinja2", rows=16),
    )  # fmt: skip
    values: JsonList[NamedValue] = Field(
        default_factory=list, max_length=200, description="Names the template can use, and their values.",
        json_schema_extra=form(placeholder='{{ nodes."Other step".data }}'),
    )  # fmt: skip
    save_as: str = Field("text", min_length=1, max_length=200, description="Name of the text in the data.")
    timeout_seconds: float = Field(10.0, gt=0, le=3600, description="Longest time it may take, in seconds.")
    memory_mb: int = Field(
        256, ge=16, le=65_536, title="Memory (MiB)", description="Most memory it may use, in MiB."
    )


class Template(Component[TemplateConfig]):
    """Renders a template."""

    id = "template"
    name = "Template"
    description = "Writes a text (a report, a message, a page) from data with a Jinja2 template."
    category = "Data"
    execution = Execution.ASYNC
    config_model = TemplateConfig
    raw_fields = frozenset({"template"})

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @override
    async def execute(self, context: Context, config: TemplateConfig, payload: Payload) -> Result:
        """Render in a limited process; a template that hangs or grows without end fails this step alone."""
        values = {
            "data": payload.data,
            "inputs": [item.payload.data for item in context.inputs],
            **typed_values(config.values),
        }
        bounds = Bounds(config.timeout_seconds, config.memory_mb)
        request = {"template": config.template, "values": values}
        text = await self._sandbox.call(Task.TEMPLATE, request, bounds, context.log)
        return Result.on("success", {config.save_as: text}, payload.history)
