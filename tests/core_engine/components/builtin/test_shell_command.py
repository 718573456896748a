"""The shell command as a step: words, folders, exit codes and the owner's switch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core_engine.components.builtin.shell_command.component import ShellCommand
from core_engine.components.isolation import rungs
from core_engine.components.isolation.rungs import Rung
from core_engine.components.isolation.sandbox import Bounds, Sandbox
from core_engine.components.switches import Switches
from core_engine.kernel.component import StepPolicy
from core_engine.kernel.payload import Payload
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError

needs_bubblewrap = pytest.mark.skipif(
    not rungs.works(Rung.BUBBLEWRAP), reason="bubblewrap does not work here: programs are refused without it"
)


@pytest.fixture
def shell(run):
    async def call(command: str, **settings: Any) -> Any:
        return (await run("shell_command", {"command": command, **settings})).outputs["success"].data

    return call


@needs_bubblewrap
async def test_words_are_handed_on_whole(shell) -> None:
    evil = ["$(id)", "; id", "`id`", "| id", "a b", "*", "-"]
    done = await shell("printf '%s\\n' 'first one'", arguments=evil)
    assert done["stdout"].splitlines() == ["first one", *evil]
    done = await shell('echo "$1" "$HOME" | cat', shell=True, arguments=["$(id)"])
    assert done["stdout"] == "$(id) /tmp\n"


@needs_bubblewrap
async def test_an_exit_code_fails_the_step_unless_it_is_wanted(shell, step) -> None:
    with pytest.raises(FloworkError, match="exit code 4: the last line") as caught:
        await shell("echo the last line >&2; exit 4", shell=True)
    assert caught.value.details["exit_code"] == 4
    assert (await shell("exit 4", shell=True, fail_on_exit_code=False))["exit_code"] == 4
    assert ("DEBUG", "Isolation: bubblewrap.") in step.logs


@needs_bubblewrap
async def test_it_works_in_the_folders_opened_to_it(shell, root: Path) -> None:
    (root / "in").mkdir()
    (root / "in" / "a").write_text("b\na\n")
    assert (await shell("sort a", folder_access="read", folders="in"))["stdout"] == "a\nb\n"
    await shell("sort -o sorted a", folder_access="write", folders="in")
    assert (root / "in" / "sorted").read_text() == "a\nb\n"
    for folder in ("/etc", "..", "/"):
        with pytest.raises(FloworkError) as caught:
            await shell("ls", folder_access="read", folders=folder)
        assert caught.value.code is ErrorCode.FORBIDDEN


@needs_bubblewrap
async def test_it_is_told_of_its_proxy_only_where_hosts_are_opened(shell) -> None:
    line = 'echo "$https_proxy $HTTP_PROXY [$NO_PROXY]"'
    seen = await shell(line, shell=True, hosts="example.org")
    assert seen["stdout"] == "http://127.0.0.1:3128 http://127.0.0.1:3128 []\n"
    assert (await shell(line, shell=True))["stdout"] == "  []\n"


@needs_bubblewrap
async def test_time_and_memory_are_limited(shell) -> None:
    with pytest.raises(FloworkError) as caught:
        await shell("sleep 60", timeout_seconds=0.5)
    assert caught.value.details == {
        "reason": "time", "exit_code": -15, "stdout": "", "stderr": "", "cut": False
    }  # fmt: skip
    assert (await shell("echo on"))["stdout"] == "on\n"


@pytest.mark.parametrize("settings", [
    {"command": "echo 'open"}, {"command": " "}, {"command": "a\0b"},
    {"command": "a", "environment": [{"name": "A=B", "value": "x"}]},
    {"command": "a", "folders": "x"},
])  # fmt: skip
async def test_settings_that_make_no_command_are_refused(run, settings: dict[str, Any]) -> None:
    with pytest.raises(FloworkError) as caught:
        await run("shell_command", settings)
    assert caught.value.code is ErrorCode.INVALID_REQUEST


async def test_what_is_no_host_is_refused(run) -> None:
    with pytest.raises(ValidationError, match="is not a host"):
        await run("shell_command", {"command": "true", "hosts": "http://a"})


async def test_it_is_off_unless_the_owner_switches_it_on(step) -> None:
    component = ShellCommand(Sandbox(most=Bounds(1, 16)), Switches())
    with pytest.raises(FloworkError, match="ENGINE_SHELL_COMMANDS=true") as caught:
        await component.execute(step, component.parse_config({"command": "true"}), Payload({}))
    assert caught.value.code is ErrorCode.FORBIDDEN


async def test_simulating_runs_nothing_and_policies_are_honest(run, registry, step) -> None:
    result = await run("shell_command", {"command": "rm -rf /"}, mode=RunMode.SIMULATE)
    assert result.outputs["success"].data["simulated"]
    assert step.logs == [("INFO", "Simulated: would run rm -rf /.")]
    component = registry.find("shell_command")
    base = {"command": "true"}
    assert component.policy_for(component.parse_config(base)) is StepPolicy.REPEATABLE
    for reaching in ({"folder_access": "write"}, {"hosts": "example.org"}):
        assert component.policy_for(component.parse_config({**base, **reaching})) is StepPolicy.ONCE
