"""Runs a program of this machine behind the walls that code of others stands behind."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.fields import JsonList, NamedValue, Words, form, typed_values
from core_engine.components.isolation import proxy
from core_engine.components.isolation.folders import Access, open_to
from core_engine.components.isolation.hosts import Hosts
from core_engine.components.isolation.rungs import Openings, Task
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.switches import Switches
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_OFF = (
    "Shell commands are switched off on this engine. Its owner can switch them on with ENGINE_SHELL_COMMANDS=true"
    " and a restart."
)


class ShellConfig(Config):
    """The command and its limits."""

    command: str = Field(
        min_length=1, max_length=100_000,
        description=(
            "The program and its arguments. It is split into words as a shell would, and no word is read as anything"
            " but a text. With shell on it is a line for /bin/sh instead."
        ),
        json_schema_extra=form(widget="textarea", rows=4, placeholder="sort --unique names.txt"),
    )  # fmt: skip
    arguments: JsonList[Any] = Field(
        default_factory=list, max_length=1000,
        description="Further arguments as a list; each is handed on whole, whatever signs are in it.",
    )  # fmt: skip
    shell: bool = Field(
        False,
        description="Run the command as a line of /bin/sh; the further arguments are then $1, $2 and so on.",
    )
    stdin: str = Field(
        "", max_length=4_000_000, description="Text the program reads from its standard input."
    )
    environment: JsonList[NamedValue] = Field(
        default_factory=list, max_length=100,
        description="Names and values the program finds in its environment; nothing of the engine's is there.",
    )  # fmt: skip
    folder_access: Access = Field(
        "none", description="What the program may do with files in the folders below."
    )
    folders: Words = Field(
        default_factory=list, max_length=20,
        description=(
            "Folders opened to the program, inside the folders that workflows may use, with all that is in them. It"
            " starts in the first one, without any in a temporary folder."
        ),
        json_schema_extra=form(placeholder="reports, input/today"),
    )  # fmt: skip
    hosts: Words = Field(
        default_factory=list, max_length=20,
        description=(
            "Hosts that the program may talk to, on ports 80 and 443 or the port that is named; nothing else of the"
            " network is reached. *.example.org means all names below example.org. The program finds an HTTP proxy in"
            " its environment (HTTPS_PROXY and the like), which curl, wget, git and pip use by themselves."
        ),
        json_schema_extra=form(placeholder="api.example.org, git.example.org:8443"),
    )  # fmt: skip
    fail_on_exit_code: bool = Field(
        True, description="Treat an exit code other than 0 as a failure of the step."
    )
    timeout_seconds: float = Field(
        60.0,
        gt=0,
        le=86_400,
        description="Longest time it may take, in seconds; then it is told to end, and killed after 5 s.",
    )
    memory_mb: int = Field(
        512, ge=16, le=1_048_576, title="Memory (MiB)",
        description="Most memory that it and what it starts may use together, in MiB.",
    )  # fmt: skip
    max_output_kib: int = Field(
        1024,
        ge=1,
        le=1024,
        title="Largest output (KiB)",
        description="How much of each stream is kept, in KiB: the first half and the last half.",
    )

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, value: list[str]) -> list[str]:
        Hosts.read(value)
        return value


class ShellCommand(Component[ShellConfig]):
    """Runs a program."""

    id = "shell_command"
    name = "Shell command"
    description = (
        "Runs a program of the engine's machine, with no files and no network but what is opened to it."
    )
    category = "Code"
    policy = StepPolicy.ONCE
    execution = Execution.ASYNC
    config_model = ShellConfig

    def __init__(self, sandbox: Sandbox, switches: Switches) -> None:
        self._sandbox = sandbox
        self._switches = switches

    @override
    def policy_for(self, config: ShellConfig) -> StepPolicy:
        """Only a program that may change files or talk to a host cannot be repeated."""
        reaches_out = config.folder_access == "write" or config.hosts
        return StepPolicy.ONCE if reaches_out else StepPolicy.REPEATABLE

    @override
    def unready(self, values: Mapping[str, Any]) -> str | None:
        del values
        return None if self._switches.shell_commands else _OFF

    @override
    async def execute(self, context: Context, config: ShellConfig, payload: Payload) -> Result:
        """Return ``exit_code`` (negative: ended by that signal), ``stdout``, ``stderr`` and ``cut``."""
        if not self._switches.shell_commands:
            raise FloworkError(ErrorCode.FORBIDDEN, _OFF)
        folders = open_to(context.files, config.folder_access, config.folders)
        known = proxy.environment() if config.hosts else {}
        openings = replace(folders, hosts=Hosts.read(config.hosts))
        request = {
            "argv": _arguments(config),
            "folder": _start_folder(folders),
            "stdin": config.stdin,
            "environment": known | _environment(config),
            "max_bytes": config.max_output_kib * 1024,
        }
        bounds = Bounds(config.timeout_seconds, config.memory_mb)
        done = await self._sandbox.call(Task.PROGRAM, request, bounds, context.log, openings)
        code = done["exit_code"]
        if done["cut"]:
            context.log("The program printed more than is kept.", "WARN")
        if code != 0 and config.fail_on_exit_code:
            last = (done["stderr"].strip() or done["stdout"].strip()).splitlines()[-1:]
            told = f": {last[0][:300]}" if last else ""
            raise FloworkError(
                ErrorCode.COMPONENT_FAILED, f"The program ended with exit code {code}{told}.", details=done
            )
        return Result.on("success", done, payload.history)

    @override
    async def simulate(self, context: Context, config: ShellConfig, payload: Payload) -> Result:
        """Run nothing; return empty streams and exit code 0."""
        context.log(f"Simulated: would run {shlex.join(_arguments(config))[:300]}.")
        done = {"exit_code": 0, "stdout": "", "stderr": "", "cut": False, "simulated": True}
        return Result.on("success", done, payload.history)


def _arguments(config: ShellConfig) -> list[str]:
    more = [item if isinstance(item, str) else str(item) for item in config.arguments]
    if config.shell:
        words = ["/bin/sh", "-c", config.command, "sh", *more]
    else:
        try:
            words = [*shlex.split(config.command), *more]
        except ValueError as error:
            raise FloworkError(ErrorCode.INVALID_REQUEST, f"The command: {error}.") from error
    if not words or any("\0" in word for word in words):
        raise FloworkError(ErrorCode.INVALID_REQUEST, "The command is empty or holds a zero byte.")
    return words


def _start_folder(folders: Openings) -> str:
    return next(iter((*folders.writable, *folders.readable)), "/tmp")  # noqa: S108 - the child's own


def _environment(config: ShellConfig) -> dict[str, str]:
    try:
        values = typed_values(config.environment)
    except ValueError as error:
        raise FloworkError(ErrorCode.INVALID_REQUEST, str(error)) from error
    texts = {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
    if any("=" in name or "\0" in name + value for name, value in texts.items()):
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "A name or value of the environment holds '=' or a zero byte."
        )
    return texts
