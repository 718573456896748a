"""``flowork presets``: saved workflows and their versions."""

from __future__ import annotations

from typing import Any

import click

from flowork.terminal.files import read_workflow
from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.session import json_option
from flowork.terminal.text import printable


@click.group(name="presets")
def command() -> None:
    """List, save, show, compare, restore and delete saved workflows."""


@command.command(name="list")
@json_option
@engine_options
def list_presets(reach: EngineReach, *, as_json: bool) -> None:
    """List the saved workflows."""
    with reach.session() as session:
        presets = session.presets.all()
    terminal = reach.through.terminal
    if as_json:
        terminal.show_json(presets)
        return
    rows = [
        (item.name, f"v{item.version}", item.updated_at, "yes" if item.intact else "NO") for item in presets
    ]
    empty = "No workflow is saved yet; `flowork presets save NAME FILE` saves one."
    terminal.show_table(("NAME", "VERSION", "SAVED", "INTACT"), rows, empty=empty)


@command.command()
@click.argument("name")
@click.argument("workflow")
@click.option(
    "--based-on", type=click.IntRange(0), metavar="N", help="Refuse when the newest version is not N."
)
@json_option
@engine_options
def save(reach: EngineReach, *, name: str, workflow: str, based_on: int | None, as_json: bool) -> None:
    """Sign the WORKFLOW file (- for standard input) and save it as the newest version of NAME."""
    data = read_workflow(workflow)
    with reach.session() as session:
        saved = session.presets.save(name, data, based_on=based_on)
    terminal = reach.through.terminal
    item = next((preset for preset in saved if preset.name == name), None)
    if as_json:
        terminal.show_json(item)
    elif item:
        terminal.say(f"Saved {printable(item.name)} as version {item.version}.")


@command.command()
@click.argument("name")
@click.option("--version", type=click.IntRange(1), metavar="N", help="Which version; the newest without it.")
@engine_options
def show(reach: EngineReach, *, name: str, version: int | None) -> None:
    """Print the workflow of NAME as JSON."""
    with reach.session() as session:
        loaded = session.presets.load(name, version)
    reach.through.terminal.show_json(loaded.workflow_data)


@command.command()
@click.argument("name")
@json_option
@engine_options
def versions(reach: EngineReach, *, name: str, as_json: bool) -> None:
    """List the versions of NAME, newest first, and whether their chain verifies."""
    with reach.session() as session:
        found = session.presets.versions(name)
    terminal = reach.through.terminal
    if as_json:
        terminal.show_json(found)
        return
    rows = [
        (f"v{item.version}", item.timestamp, item.author_id, "signed" if item.signed else "unsigned")
        for item in found.versions
    ]
    terminal.show_table(("VERSION", "SAVED", "AUTHOR", "SIGNATURE"), rows, empty="No versions.")
    if not found.intact:
        terminal.say(f"The chain is damaged: {printable(found.problem or '')}", style="bold red")


@command.command()
@click.argument("name")
@click.argument("from_version", type=click.IntRange(1))
@click.argument("to_version", type=click.IntRange(1))
@json_option
@engine_options
def diff(reach: EngineReach, *, name: str, from_version: int, to_version: int, as_json: bool) -> None:
    """Compare two versions of NAME node by node and field by field."""
    with reach.session() as session:
        found = session.presets.diff(name, from_version, to_version)
    terminal = reach.through.terminal
    if as_json:
        terminal.show_json(found)
        return
    rows = [
        (change.kind, change.subject, change.id, change.path, _short(change.before), _short(change.after))
        for change in found.changes
    ]
    columns = ("CHANGE", "WHAT", "ID", "WHERE", "BEFORE", "AFTER")
    terminal.show_table(columns, rows, empty="The two versions are the same.")


@command.command()
@click.argument("name")
@click.argument("version", type=click.IntRange(1))
@engine_options
def restore(reach: EngineReach, *, name: str, version: int) -> None:
    """Make an old VERSION of NAME the newest."""
    with reach.session() as session:
        loaded = session.presets.restore(name, version)
    reach.through.terminal.say(f"Version {version} is now version {loaded.version}.")


@command.command()
@click.argument("name")
@click.confirmation_option(prompt="Delete this workflow with all its versions?")
@engine_options
def delete(reach: EngineReach, *, name: str) -> None:
    """Delete NAME with all its versions."""
    with reach.session() as session:
        session.presets.delete(name)
    reach.through.terminal.say(f"Deleted {printable(name)}.")


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
