"""``flowork backup``: all data of the platform in one archive, checked, and put back."""

from __future__ import annotations

from pathlib import Path

import click

from flowork.deployment import backup, restore
from flowork.deployment.manifest import Manifest
from flowork.terminal.session import Terminal, json_option

_archive = click.argument("archive", type=click.Path(dir_okay=False, path_type=Path))


@click.group(name="backup")
def command() -> None:
    """Back the data folder (FLOWORK_DATA_DIR) up, check a backup, put one back."""


@command.command()
@_archive
@json_option
@click.pass_obj
def create(terminal: Terminal, archive: Path, *, as_json: bool) -> None:
    """Write everything in the data folder to the new file ARCHIVE (.tar.gz). Gateway and engine may be running.

    The archive holds secret keys: keep it as you keep them. What it does not hold: `.env`, and the
    database that DATABASE_URL names.
    """
    made = backup.create(terminal.settings.places.data_dir, archive)
    _tell(terminal, f"Wrote {archive}", made, as_json=as_json)
    if terminal.environ.get("DATABASE_URL"):
        terminal.note(
            "The database that DATABASE_URL names is not in it (the gateway's tables, and the engine's journal where"
            " the engine has it there); back it up with its own tools."
        )


@command.command()
@_archive
@json_option
@click.pass_obj
def verify(terminal: Terminal, archive: Path, *, as_json: bool) -> None:
    """Read ARCHIVE to its end and check every hash and every database in it."""
    _tell(terminal, f"{archive} is whole", restore.verify(archive), as_json=as_json)


@command.command(name="restore")
@_archive
@json_option
@click.pass_obj
def restore_(terminal: Terminal, archive: Path, *, as_json: bool) -> None:
    """Check ARCHIVE and unpack it into the data folder, which must be empty and unused."""
    data_dir = terminal.settings.places.data_dir
    _tell(terminal, f"Restored into {data_dir}", restore.restore(archive, data_dir), as_json=as_json)


def _tell(terminal: Terminal, what: str, found: Manifest, *, as_json: bool) -> None:
    facts = {
        "created_at": found.created_at,
        "version": found.version,
        "files": len(found.entries),
        "databases": sum(entry.database for entry in found.entries),
        "bytes": found.bytes,
    }
    if as_json:
        terminal.show_json(facts)
    else:
        size = f"{found.bytes:,} bytes in {len(found.entries)} files"
        terminal.say(f"{what}: {size}, made {found.created_at} by version {found.version}.", style="green")
