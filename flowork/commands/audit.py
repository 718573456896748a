"""`flowork audit`: checks an export of the gateway's audit log, without any server."""

from __future__ import annotations

from pathlib import Path

import click

from flowork.terminal.session import Terminal
from flowork.terminal.text import printable
from shared.errors import ErrorCode, FloworkError
from shared.signing.audit_chain import verify_export


@click.group()
def command() -> None:
    """Check the gateway's audit log."""


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--head", help="The head hash as it was noted elsewhere.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def verify(terminal: Terminal, file: Path, head: str | None, *, as_json: bool) -> None:
    """Check that an export (GET /api/v1/audit/export) was not changed; exit code 65 where it was."""
    with file.open("rb") as lines:
        found = verify_export(lines)
    if head is not None and head.strip().lower() != found.head:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST,
            f"The export is sound, but its head is {found.head}, not the one given.",
        )
    if as_json:
        terminal.show_json({"scope": found.scope, "count": found.count, "seq": found.seq, "head": found.head})
        return
    terminal.say(f"{found.count} entries, unbroken. Head: {printable(found.head)}")
    if head is None:
        terminal.note("Keep the head elsewhere; --head compares it at the next check.")
