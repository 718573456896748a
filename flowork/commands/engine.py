"""``flowork engine``: the core engine alone, set up by the environment."""

from __future__ import annotations

import click

from flowork.supervisor.service import become
from flowork.terminal.session import Terminal


@click.command()
@click.pass_obj
def command(terminal: Terminal) -> None:
    """Start the core engine in this terminal, with the settings of the environment and of .env.

    It needs FLOWORK_ENGINE_ID and FLOWORK_ENGINE_TOKEN from `flowork engines register`, and GATEWAY_URL.
    """
    become("core_engine", terminal.environ)
