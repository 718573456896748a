"""Picks and reshapes data with a JMESPath query."""

from __future__ import annotations

from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.isolation.rungs import Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class JsonQueryConfig(Config):
    """The query."""

    query: str = Field(
        min_length=1, max_length=8000,
        description="A JMESPath query over the data, such as records[?status == '500'].path.",
        json_schema_extra=form(widget="code", language="jmespath", rows=3),
    )  # fmt: skip
    save_as: str = Field(
        "",
        max_length=200,
        description="Name under which the result is added to the data; empty replaces the data.",
    )

    timeout_seconds: float = Field(10.0, gt=0, le=3600, description="Longest time it may take, in seconds.")
    memory_mb: int = Field(
        256, ge=16, le=65_536, title="Memory (MiB)", description="Most memory it may use, in MiB."
    )

    @field_validator("query")
    @classmethod
    def _compiles(cls, query: str) -> str:
        try:
            jmespath.compile(query)
        except (JMESPathError, RecursionError) as error:
            raise ValueError(f"the query is not valid: {error}") from error
        return query


class JsonQuery(Component[JsonQueryConfig]):
    """Queries the data."""

    id = "json_query"
    name = "JSON query"
    description = "Picks and reshapes data with a JMESPath query."
    category = "Data"
    execution = Execution.ASYNC
    config_model = JsonQueryConfig
    raw_fields = frozenset({"query"})

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @override
    async def execute(self, context: Context, config: JsonQueryConfig, payload: Payload) -> Result:
        """Evaluate in a limited process: a short query can build a huge result."""
        request = {"query": config.query, "data": payload.data}
        bounds = Bounds(config.timeout_seconds, config.memory_mb)
        found: Any = await self._sandbox.call(Task.QUERY, request, bounds, context.log)
        if config.save_as:
            base = payload.data if isinstance(payload.data, dict) else {}
            found = {**base, config.save_as: found}
        return Result.on("success", found, payload.history)
