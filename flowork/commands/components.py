"""``flowork components``: what an engine can do."""

from __future__ import annotations

from typing import get_args

import click

from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.session import json_option
from shared.contract.component import ComponentType


@click.command()
@click.option(
    "--type", "kind", type=click.Choice(get_args(ComponentType)), default="modules", show_default=True
)
@json_option
@engine_options
def command(reach: EngineReach, kind: ComponentType, *, as_json: bool) -> None:
    """List the components of an engine; with --json each with its whole manifest."""
    with reach.session() as session:
        found = session.components(kind)
    terminal = reach.through.terminal
    if as_json:
        terminal.show_json(found)
        return
    rows = [(item.id, item.name, item.version, item.description) for item in found]
    terminal.show_table(("ID", "NAME", "VERSION", "DESCRIPTION"), rows, empty=f"No {kind} here.")
