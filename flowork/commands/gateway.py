"""``flowork gateway``: the gateway alone, set up by the environment."""

from __future__ import annotations

import click

from flowork.supervisor.service import become
from flowork.terminal.session import Terminal


@click.command()
@click.pass_obj
def command(terminal: Terminal) -> None:
    """Start the gateway in this terminal, with the settings of the environment and of .env."""
    become("gateway", terminal.environ)
