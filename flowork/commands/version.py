"""``flowork version``: what is installed."""

from __future__ import annotations

import platform
from importlib import metadata

import click

from flowork.terminal.session import Terminal, json_option


@click.command()
@json_option
@click.pass_obj
def command(terminal: Terminal, *, as_json: bool) -> None:
    """Show the version of Flowork and of Python."""
    versions = {"flowork": metadata.version("flowork"), "python": platform.python_version()}
    if as_json:
        terminal.show_json(versions)
    else:
        terminal.say(f"flowork {versions['flowork']} (Python {versions['python']})")
