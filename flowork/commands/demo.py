"""``flowork demo``: see the whole platform work once, on a real log file."""

from __future__ import annotations

from pathlib import Path

import click

from flowork.demo.material import FOLDER, Workplace
from flowork.demo.show import Demo
from flowork.supervisor.folder import held
from flowork.supervisor.signals import sigterm_is_ctrl_c
from flowork.terminal.session import Terminal


@click.command()
@click.option(
    "--input", "source", type=click.Path(path_type=Path), metavar="PATH", help="Your own web server log."
)
@click.option("--keep", is_flag=True, help="Keep the databases and logs in var/demo, not only the report.")
@click.pass_obj
def command(terminal: Terminal, *, source: Path | None, keep: bool) -> None:
    """Start gateway and engine, run a workflow on a web server log by a signed command, show the report, stop.

    Everything happens on this machine, in var/demo and on free ports; nothing that runs already is touched.
    """
    folder = FOLDER.absolute()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with held(folder.with_suffix(".lock"), "A demo is running here already."), sigterm_is_ctrl_c():
        Demo(terminal, Workplace(folder), source).perform(keep=keep)
