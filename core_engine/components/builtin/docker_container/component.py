"""Runs one command in a container of the machine's Docker engine, with typed options and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.builtin.docker_container.door import knock
from core_engine.components.fields import JsonList, NamedValue, Part, form
from core_engine.components.switches import Switches
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

OFF = (
    "Containers are switched off on this engine. Its owner can switch them on with ENGINE_DOCKER_CONTAINERS=true and a"
    " restart."
)


class Mount(Part):
    """A folder shown in the container."""

    folder: str = Field(min_length=1, max_length=4096)
    target: str = Field("/work", pattern=r"^(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$", max_length=200)
    write: bool = False


class DockerConfig(Config):
    """The image, the command and its limits."""

    image: str = Field(
        min_length=1, max_length=300, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]*$",
        description="The image, with its tag or digest.",
        json_schema_extra=form(placeholder="python:3.11-slim"),
    )  # fmt: skip
    pull: Literal["missing", "never"] = Field(
        "missing", description="Whether an image that is not there is fetched from its registry."
    )
    command: str = Field(
        "", max_length=100_000,
        description="The command, split into words as a shell would; empty runs what the image says.",
        json_schema_extra=form(placeholder="python -c 'print(1)'"),
    )  # fmt: skip
    arguments: JsonList[Any] = Field(
        default_factory=list, max_length=1000,
        description="Further arguments as a list; each is handed on whole, whatever signs are in it.",
    )  # fmt: skip
    environment: JsonList[NamedValue] = Field(
        default_factory=list, max_length=200,
        description="Names and values the program finds in its environment.",
    )  # fmt: skip
    mounts: JsonList[Mount] = Field(
        default_factory=list, max_length=20,
        description=(
            "Folders shown in the container, a list of folder (inside the folders that workflows may use), target (the"
            " path in the container) and write (true or false)."
        ),
        json_schema_extra=form(placeholder='[{"folder": "reports", "target": "/work", "write": true}]'),
    )  # fmt: skip
    network: Literal["none", "bridge"] = Field(
        "none", description="none: no network. bridge: whatever the machine's containers can reach."
    )
    read_only: bool = Field(
        True, title="Read-only",
        description="Whether it may write nowhere but into /tmp (64 MiB, in memory) and folders that are open to it.",
    )  # fmt: skip
    memory_mb: int = Field(
        512, ge=16, le=1_048_576, title="Memory (MiB)", description="Most memory it may use, in MiB."
    )
    cpus: float = Field(1.0, gt=0, le=1024, description="Processors it may use.")
    pids: int = Field(
        128, ge=1, le=100_000, title="Processes", description="Processes it may have at a time."
    )
    timeout_seconds: float = Field(
        300.0,
        gt=0,
        le=86_400,
        description="Longest time it may take, in seconds; then it is told to end, and killed after 5 s.",
    )
    max_output_kib: int = Field(
        1024,
        ge=1,
        le=16_384,
        title="Largest output (KiB)",
        description="How much of each stream is kept, in KiB: the first half and the last half.",
    )
    fail_on_exit_code: bool = Field(
        True, description="Treat an exit code other than 0 as a failure of the step."
    )


class DockerContainer(Component[DockerConfig]):
    """Runs a container."""

    id = "docker_container"
    name = "Docker container"
    description = (
        "Runs a command in a container without privileges, and without network unless it is asked for."
    )
    category = "Code"
    policy = StepPolicy.ONCE
    execution = Execution.ASYNC
    queue = "docker"
    config_model = DockerConfig

    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    @override
    def unready(self, values: Mapping[str, Any]) -> str | None:
        del values
        return knock() if self._switches.docker_containers else OFF

    @override
    async def execute(self, context: Context, config: DockerConfig, payload: Payload) -> Result:
        """Return ``exit_code``, ``stdout``, ``stderr`` and ``cut``; both streams go into the run's log as they come."""
        if not self._switches.docker_containers:
            raise FloworkError(ErrorCode.FORBIDDEN, OFF)
        from core_engine.components.builtin.docker_container.job import Job  # noqa: PLC0415 - heavy

        folders = {item.target: context.files.whole_folder(item.folder) for item in config.mounts}
        if len(folders) != len(config.mounts):
            raise FloworkError(ErrorCode.INVALID_REQUEST, "Two folders have the same target.")
        job = Job(config, folders, context.idempotency_key, context.log)
        context.log("Isolation: docker.", "DEBUG")
        done = await on_own_thread(job)
        code = done["exit_code"]
        if code != 0 and config.fail_on_exit_code:
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, f"The container ended with exit code {code}.", details=done
            )
        return Result.on("success", done, payload.history)

    @override
    async def simulate(self, context: Context, config: DockerConfig, payload: Payload) -> Result:
        """Start nothing; return empty streams and exit code 0."""
        context.log(f"Simulated: would run a container of {config.image}.")
        done = {"exit_code": 0, "stdout": "", "stderr": "", "cut": False, "simulated": True}
        return Result.on("success", done, payload.history)


async def on_own_thread(job: Any) -> dict[str, Any]:
    """Run the job; a step that is stopped kills its container and waits until it is gone."""
    threads = ThreadPoolExecutor(1, thread_name_prefix="container")
    running = asyncio.get_running_loop().run_in_executor(threads, job.run)
    try:
        done: dict[str, Any] = await asyncio.shield(running)
    except asyncio.CancelledError:
        job.stop()
        await asyncio.wait([running])
        raise
    finally:
        threads.shutdown(wait=False)
    return done
