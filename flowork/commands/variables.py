"""``flowork variables``: what workflows use as ``{{vars.NAME}}``."""

from __future__ import annotations

import json
import sys
from typing import Any, get_args

import click

from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.session import json_option
from flowork.terminal.text import json_text
from shared.contract.variable import VariableMode
from shared.errors import ErrorCode, FloworkError


@click.group(name="variables")
def command() -> None:
    """List, set and delete variables; values of secrets are never shown."""


@command.command(name="list")
@json_option
@engine_options
def list_variables(reach: EngineReach, *, as_json: bool) -> None:
    """List the variables."""
    with reach.session() as session:
        found = session.variables.all()
    terminal = reach.through.terminal
    if as_json:
        terminal.show_json(found)
        return
    rows = [
        (
            item.name,
            "(secret)" if item.is_secret else json_text(item.value, indent=None),
            item.mode,
            "on" if item.is_enabled else "off",
        )
        for item in found
    ]
    empty = "No variable yet; `flowork variables set NAME VALUE` makes one."
    terminal.show_table(("NAME", "VALUE", "MODE", "STATE"), rows, empty=empty)


@command.command(name="set")
@click.argument("name")
@click.argument("value", required=False)
@click.option("--json-value", metavar="JSON", help="The value as JSON: a number, a list, an object.")
@click.option(
    "--secret", is_flag=True, help="Keep it encrypted; without VALUE it is asked for, or read from a pipe."
)
@click.option("--mode", type=click.Choice(get_args(VariableMode)), default="single", show_default=True)
@click.option("--off", is_flag=True, help="Switch it off.")
@engine_options
def set_variable(  # noqa: PLR0913 - the options, by keyword
    reach: EngineReach,
    *,
    name: str,
    value: str | None,
    json_value: str | None,
    secret: bool,
    mode: VariableMode,
    off: bool,
) -> None:
    """Set NAME to VALUE. A secret is better not given on the command line, where others may see it."""
    given = _value(reach, value, json_value, secret=secret)
    with reach.session() as session:
        session.variables.set(name, given, secret=secret, enabled=not off, mode=mode)
    reach.through.terminal.say(f"Variable {name} is set.")


@command.command()
@click.argument("name")
@engine_options
def delete(reach: EngineReach, *, name: str) -> None:
    """Delete NAME."""
    with reach.session() as session:
        session.variables.delete(name)
    reach.through.terminal.say(f"Variable {name} is deleted.")


def _value(reach: EngineReach, value: str | None, json_value: str | None, *, secret: bool) -> Any:
    if json_value is not None:
        if value is not None:
            raise FloworkError(ErrorCode.INVALID_REQUEST, "Give VALUE or --json-value, not both.")
        try:
            return json.loads(json_value)
        except ValueError as error:
            raise FloworkError(ErrorCode.INVALID_REQUEST, f"--json-value is no JSON: {error}") from error
    if value is None and secret:
        asked = sys.stdin.isatty()
        return reach.through.terminal.ask_secret("Value") if asked else sys.stdin.read().rstrip("\n")
    if value is None:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "Give the VALUE.")
    return value
