"""``flowork env``: the secrets of a new installation, as the text of its ``.env`` file."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import click

from flowork.deployment import environment
from flowork.terminal.session import Terminal


@click.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this file; it must not exist yet.",
)
@click.pass_obj
def command(terminal: Terminal, *, output: Path | None) -> None:
    """Make the secrets that docker-compose.yml asks for, all random.

    Prints them, as in `flowork env > .env`. With --output a file that exists is left alone, which a shell's > is not.
    """
    if output is not None:
        environment.write(output)
        terminal.note(f"Wrote {output}. Keep a copy of it in a safe place.")
        return
    _close_to_others()
    click.echo(environment.render(), nl=False)


def _close_to_others() -> None:
    """Where a shell sent the output into a file, let nobody else read that file."""
    try:
        handle = sys.stdout.fileno()
        if stat.S_ISREG(os.fstat(handle).st_mode):
            os.fchmod(handle, 0o600)
    except (OSError, ValueError):  # no real file behind it, or not ours
        return
