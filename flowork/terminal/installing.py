"""``flowork component install|uninstall|list``: the components of others on an engine."""

from __future__ import annotations

import base64
from pathlib import Path

import click

from flowork.client import EngineSession
from flowork.client.deadline import Deadline
from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.session import Terminal, json_option
from flowork.terminal.text import printable
from shared.contract.install import (
    ComponentInspection,
    ComponentInstallStatus,
    InspectComponent,
    InstallComponent,
    UninstallComponent,
)
from shared.errors import ErrorCode, FloworkError

_ANSWER_SECONDS = 90.0
_INSTALL_SECONDS = 900.0
_MOST_BYTES = 33 * 1024 * 1024


@click.command()
@click.argument("what", metavar="FILE|ID")
@click.option(
    "--accept", multiple=True, metavar="PERMISSION", help="Accept this permission; may be repeated."
)
@click.option("--yes", is_flag=True, help="Accept all that it asks for, without a question.")
@click.option("--repair", is_flag=True, help="Install its requirements anew, with the locked versions.")
@json_option
@engine_options
def install(  # noqa: PLR0913 - one for each option
    reach: EngineReach, *, what: str, accept: tuple[str, ...], yes: bool, repair: bool, as_json: bool
) -> None:
    """Install a package (FILE, made by `component pack`), or the requirements of a component (ID) that is there."""
    terminal, package = reach.through.terminal, _read(what)
    name = None if package else what
    with reach.session(timeout_seconds=_ANSWER_SECONDS) as session:
        found = session.ask(InspectComponent(component_id=name, package=package), ComponentInspection)
        _tell(terminal, found)
        if found.refusal:
            raise FloworkError(ErrorCode.FORBIDDEN, found.refusal)
        asked = [item.permission for item in found.permissions]
        if not (yes or set(asked) <= set(accept)):
            click.confirm("Install it with these permissions?", abort=True, err=True)
        order = InstallComponent(component_id=name, package=package, accept_permissions=asked, repair=repair)
        done = _carry_out(session, order)
    _finish(terminal, done, as_json=as_json)


@click.command()
@click.argument("component")
@click.option("--version", help="Only this version; without it all of them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@engine_options
def uninstall(reach: EngineReach, *, component: str, version: str | None, yes: bool, as_json: bool) -> None:
    """Remove an installed component from the engine."""
    terminal = reach.through.terminal
    if not yes:
        which = f"{printable(component)} {printable(version)}" if version else f"{printable(component)}"
        click.confirm(f"Remove {which}?", abort=True, err=True)
    with reach.session(timeout_seconds=_ANSWER_SECONDS) as session:
        order = UninstallComponent(component_id=component, version=version)
        done = session.ask(order, ComponentInstallStatus)
    _finish(terminal, done, as_json=as_json)


@click.command(name="list")
@json_option
@engine_options
def list_(reach: EngineReach, *, as_json: bool) -> None:
    """List the components of others on an engine, with those that cannot be used and why."""
    with reach.session() as session:
        found = [item for item in session.components("modules") if not item.is_core]
        more = [item for item in session.components("triggers") if not item.is_core]
    terminal = reach.through.terminal
    if as_json:
        terminal.show_json([*found, *more])
        return
    rows = [
        (item.id, item.version, "ready" if item.is_installed else "not usable", item.description)
        for item in (*found, *more)
    ]
    terminal.show_table(("ID", "VERSION", "STATE", "DESCRIPTION"), rows, empty="No added components here.")


def _read(what: str) -> str | None:
    """Return a package's bytes as base64; None where the word is no file, but an id."""
    path = Path(what)
    if path.is_dir():
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, f"{what} is a folder; `flowork component pack {what}` makes a package."
        )
    if not path.is_file():
        if path.suffix == ".zip" or len(path.parts) > 1:
            raise FloworkError(ErrorCode.NOT_FOUND, f"There is no file {what}.")
        return None
    if path.stat().st_size > _MOST_BYTES:
        raise FloworkError(ErrorCode.TOO_LARGE, f"{what} is larger than {_MOST_BYTES // 1024**2} MiB.")
    return base64.b64encode(path.read_bytes()).decode()


def _tell(terminal: Terminal, found: ComponentInspection) -> None:
    by = f"signed by {found.author}" if found.author else "not signed"
    terminal.note(f"{printable(found.component_name)}: {found.component_id} {found.version}, {by}.")
    for item in found.permissions:
        given = "" if item.given else " (never given)"
        terminal.note(f"It asks to {printable(item.meaning)} [{printable(item.permission)}]{given}.")
    for text in found.requirements:
        terminal.note(f"It needs the package {printable(text)}.")
    if found.touches:
        terminal.note(f"Presets that use it: {printable(', '.join(found.touches))}.")


def _carry_out(session: EngineSession, order: InstallComponent) -> ComponentInstallStatus:
    """Have it installed; one that takes long is answered early, and asked for again until it is done."""
    deadline = Deadline(_INSTALL_SECONDS, "end of the installation")
    while True:
        done = session.ask(order, ComponentInstallStatus)
        if done.stage == "done":
            return done
        deadline.left()  # the engine does one after the other: asking again waits for the first
        order = order.model_copy(update={"repair": False})


def _finish(terminal: Terminal, done: ComponentInstallStatus, *, as_json: bool) -> None:
    if as_json:
        terminal.show_json(done)
    elif done.success:
        terminal.say(printable(done.message))
    if not done.success:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, done.message)
