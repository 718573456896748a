"""Checks data against a JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from typing_extensions import override

from core_engine.components.builtin.json_schema.checking import check_schema, problems
from core_engine.components.fields import form
from core_engine.components.records import added, fail
from core_engine.kernel.component import Component, Config, Execution, Port
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class JsonSchemaConfig(Config):
    """What the data must be like."""

    rules: Annotated[dict[str, Any], BeforeValidator(check_schema)] = Field(
        title="JSON Schema",
        description="A JSON Schema (draft 2020-12). References may only point into itself (#/$defs/…).",
        json_schema_extra=form(widget="code", language="json", rows=14),
    )
    value: Any = Field(
        None, description="What is checked; empty takes the whole data.",
        json_schema_extra=form(placeholder="{{ data.order }}"),
    )  # fmt: skip
    formats: bool = Field(True, description="Check formats such as email, date-time and uuid as well.")
    most: int = Field(100, ge=1, le=1000, description="How many problems are listed at most.")
    errors_as: str = Field(
        "errors",
        min_length=1,
        max_length=200,
        description="Name under which the problems are added to the data.",
    )


class JsonSchema(Component[JsonSchemaConfig]):
    """Validates."""

    id = "json_schema"
    name = "Check by JSON Schema"
    description = (
        "Checks data against a JSON Schema: it leaves at valid, or at invalid with a list of its problems."
    )
    category = "Data"
    kind = "LOGIC"
    outputs = (
        Port("valid", "Valid", "The data is as the schema says."),
        Port("invalid", "Invalid", "The data and its problems."),
        Port("error", "Error"),
    )
    execution = Execution.THREAD
    config_model = JsonSchemaConfig

    @override
    def execute(self, context: Context, config: JsonSchemaConfig, payload: Payload) -> Result:
        """Choose the port; a problem is ``{"path", "message", "rule"}`` with a path such as ``lines[0].price``."""
        value = payload.data if config.value is None else config.value
        try:
            found = problems(config.rules, value, formats=config.formats, most=config.most)
        except RecursionError as error:
            raise fail("The schema or the data is nested too deeply to be checked.") from error
        if not found:
            return Result({"valid": payload})
        context.log(
            f"The data has {len(found)} problems; the first: {found[0]['path']}: {found[0]['message']}"
        )
        return Result({"invalid": added(payload, **{config.errors_as: found})})
