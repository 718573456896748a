"""The root of the command line: verbs are found, errors are one line and a code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from flowork.cli import cli
from flowork.commands import version
from flowork.supervisor.service import CHECKOUT
from shared.errors import ERROR_TABLE, ErrorCode, FloworkError

VERBS = {
    "audit", "backup", "billing", "claim", "component", "components", "demo", "doctor", "engine", "engines", "env",
    "gateway", "identity", "presets", "run", "runs", "test", "triggers", "up", "validate", "variables", "version",
    "worker",
}  # fmt: skip


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLOWORK_HOME", str(tmp_path / "home"))


def flowork(*words: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, words, env=environment)


def test_every_verb_has_help() -> None:
    overview = flowork("--help")
    assert overview.exit_code == 0
    for verb in VERBS:
        assert f"  {verb} " in overview.output
        assert "Usage:" in flowork(verb, "-h").output
    assert set(cli.list_commands(click.Context(cli))) == VERBS


def test_a_wrong_word_is_a_usage_error() -> None:
    for words in (["nosuch"], ["version", "--nosuch"], ["run"]):
        result = flowork(*words)
        assert result.exit_code == 2
        assert "Usage:" in result.output


@pytest.mark.parametrize("code", ErrorCode)
def test_each_code_is_one_line_and_its_exit(code: ErrorCode, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, FloworkError(code, "It \x1b[2Jbroke\nbadly: 0x" + "ab" * 32))
    result = flowork("version")
    assert result.exit_code == ERROR_TABLE[code].exit
    assert result.stderr == "Error: It \\x1b[2Jbroke badly: •••\n"
    assert result.stdout == ""


def test_the_unexpected_has_an_incident_and_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ZeroDivisionError("secret"))
    result = flowork("version")
    assert result.exit_code == 70
    assert "ZeroDivisionError, incident" in result.stderr
    assert "secret" not in result.stderr
    for loud in (
        flowork("version", "--debug"),
        flowork("--debug", "version"),
        flowork("version", FLOWORK_DEBUG="1"),
    ):
        assert "Traceback" in loud.stderr
        assert loud.exit_code == 70


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    assert flowork("version").exit_code == 130


def test_dotenv_fills_in_what_the_environment_lacks(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FLOWORK_PRIVATE_KEY=" + "11" * 32 + "\n")
    shown = flowork("identity", "show", "--json")
    assert json.loads(shown.output)["address"] == "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
    other = flowork("identity", "show", "--json", FLOWORK_PRIVATE_KEY="22" * 32)
    assert json.loads(other.output)["address"] == "0x1563915e194D8CfBA1943570603F7606A3115508"
    (tmp_path / ".env").write_text("nonsense\n")
    broken = flowork("version")
    assert (broken.exit_code, broken.stderr) == (78, "Error: .env, line 1: expected NAME=value.\n")


def test_a_closed_pipe_is_quiet() -> None:
    command = f"{sys.executable} -m flowork --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.stderr == ""


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(version.command, "callback", fail)
