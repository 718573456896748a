"""Runs a person's Python in a locked process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from core_engine.components.builtin.docker_container.component import OFF
from core_engine.components.builtin.docker_container.door import knock
from core_engine.components.fields import JsonList, NamedValue, Words, form, typed_values
from core_engine.components.isolation.folders import Access, open_to
from core_engine.components.isolation.hosts import Hosts
from core_engine.components.isolation.rungs import Openings, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.routing import routed
from core_engine.components.switches import Switches
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_STARTER = """def run(payload, log):
    data = payload["data"]
    log("It works.")
    return {"data": data}
"""


class FunctionConfig(Config):
    """The code and its limits."""

    python_code: str = Field(
        _STARTER, max_length=1_000_000,
        description=(
            "Define run(payload, log) and return a result, or set result. payload has data and history; args holds the"
            " arguments below; log(message, level) writes to the run's log. The code has the standard library and a"
            " temporary folder of 64 MiB, but no threads, no other programs, and of the network the hosts below only."
        ),
        json_schema_extra=form(widget="code", language="python", rows=16),
    )  # fmt: skip
    args: JsonList[NamedValue] = Field(
        default_factory=list, title="Arguments", max_length=200,
        description="Names and values handed to the code as args.",
    )  # fmt: skip
    isolation: Literal["engine", "docker"] = Field(
        "engine",
        description=(
            "engine: the strongest walls that the machine has. docker: a container of the image below, where the"
            " engine's owner allows containers; it starts slower, and no hosts can be opened to it."
        ),
    )  # fmt: skip
    image: str = Field(
        "python:3.11-slim", min_length=1, max_length=300, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$",
        description="The container's image, for docker only; it needs python3.",
    )  # fmt: skip
    folder_access: Access = Field("none", description="What the code may do with files in the folders below.")
    folders: Words = Field(
        default_factory=list, max_length=20,
        description=(
            "Folders opened to the code, inside the folders that workflows may use, with all that is in them."
            " The first step with other folders or hosts than before takes some 50 ms longer."
        ),
        json_schema_extra=form(placeholder="reports, input/today"),
    )  # fmt: skip
    hosts: Words = Field(
        default_factory=list, max_length=20,
        description=(
            "Hosts that the code may talk to over TCP, on ports 80 and 443 or the port that is named; nothing else of"
            " the network is reached. *.example.org means all names below example.org."
        ),
        json_schema_extra=form(placeholder="api.example.org, db.example.org:5432"),
    )  # fmt: skip
    timeout_seconds: float = Field(10.0, gt=0, le=86_400, description="Longest time it may take, in seconds.")
    memory_mb: int = Field(
        256, ge=16, le=1_048_576, title="Memory (MiB)", description="Most memory it may use, in MiB."
    )

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, value: list[str]) -> list[str]:
        Hosts.read(value)
        return value

    @model_validator(mode="after")
    def _fits_container(self) -> Self:
        if self.isolation == "docker" and self.hosts:
            raise ValueError("no hosts can be opened to code in a container")
        return self


class FunctionRunner(Component[FunctionConfig]):
    """Runs code."""

    id = "function_runner_module"
    name = "Python function"
    description = "Runs your own Python on the data, in a process that reaches only what you open to it."
    category = "Code"
    execution = Execution.ASYNC
    config_model = FunctionConfig
    raw_fields = frozenset({"python_code"})

    def __init__(self, sandbox: Sandbox, switches: Switches) -> None:
        self._sandbox = sandbox
        self._switches = switches

    @override
    def unready(self, values: Mapping[str, Any]) -> str | None:
        if values.get("isolation") != "docker":
            return None
        return knock() if self._switches.docker_containers else OFF

    @override
    def policy_for(self, config: FunctionConfig) -> StepPolicy:
        """Only code that may change files or talk to a host cannot be repeated."""
        reaches_out = config.folder_access == "write" or config.hosts
        return StepPolicy.ONCE if reaches_out else StepPolicy.REPEATABLE

    @override
    async def execute(self, context: Context, config: FunctionConfig, payload: Payload) -> Result:
        """Run the code; what it returns becomes the data, or the payload and port it names (protocol §5.3)."""
        request = {
            "code": config.python_code,
            "payload": payload.to_wire(),
            "args": typed_values(config.args),
        }
        bounds = Bounds(config.timeout_seconds, config.memory_mb)
        folders = open_to(context.files, config.folder_access, config.folders)
        openings = replace(folders, hosts=Hosts.read(config.hosts))
        if config.isolation == "docker":
            value = await self._in_container(context, config, request, bounds, openings)
        else:
            value = await self._sandbox.call(Task.FUNCTION, request, bounds, context.log, openings)
        return routed(value, payload)

    async def _in_container(
        self,
        context: Context,
        config: FunctionConfig,
        request: dict[str, Any],
        bounds: Bounds,
        openings: Openings,
    ) -> Any:
        if not self._switches.docker_containers:
            raise FloworkError(ErrorCode.FORBIDDEN, OFF)
        from core_engine.components.builtin.function_runner_module.container import (  # noqa: PLC0415 - heavy
            call_in_container,
        )

        most = self._sandbox.most
        used = Bounds(min(bounds.seconds, most.seconds), min(bounds.memory_mb, most.memory_mb))
        context.log("Isolation: docker.", "DEBUG")
        key = context.idempotency_key
        return await call_in_container(request, config.image, used, openings, key=key, on_log=context.log)

    @override
    async def simulate(self, context: Context, config: FunctionConfig, payload: Payload) -> Result:
        """Pass the payload through; the code is not run."""
        context.log("Simulated: the code was not run.", "DEBUG")
        return Result({"success": payload})
