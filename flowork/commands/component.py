"""``flowork component``: make a component of one's own, share it, and install those of others."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from flowork.identity.choice import choose_key
from flowork.supervisor.service import inherited
from flowork.terminal.installing import install, list_, uninstall
from flowork.terminal.scaffold import scaffold
from flowork.terminal.session import Terminal, json_option
from flowork.terminal.text import printable
from shared.errors import ErrorCode, FloworkError
from shared.signing.components import sign_component

_DEADLINE_SECONDS = 900.0
_ID = re.compile(r"[a-z][a-z0-9_]{0,79}")

folder_argument = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group()
def command() -> None:
    """Make a component (new, check, test, pack: see docs/add-a-component.md), install one, list the added ones."""


for verb in (install, uninstall, list_):
    command.add_command(verb)


@command.command()
@click.argument("component_id")
@click.option(
    "--into", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Parent folder."
)
@click.option("--name", help="What people call it.")
@click.pass_obj
def new(terminal: Terminal, component_id: str, into: Path, name: str | None) -> None:
    """Write a component that runs, to be changed: manifest, code, icon."""
    if _ID.fullmatch(component_id) is None:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST,
            "An id is made of small letters, digits and _, and begins with a letter.",
        )
    folder = into / component_id
    if folder.exists():
        raise FloworkError(ErrorCode.CONFLICT, f"{folder} is there already.")
    scaffold(folder, component_id, name or component_id.replace("_", " ").capitalize())
    terminal.say(str(folder))
    terminal.note(
        f"Try it with `flowork component test {folder}`; copy it into the engine's components folder to use it."
    )


@command.command()
@folder_argument
@json_option
@click.pass_obj
def check(terminal: Terminal, folder: Path, *, as_json: bool) -> None:
    """Read a component as an engine would, without running it: schema, permissions, requirements, signature."""
    found = _ask(terminal, "check", folder)
    if as_json:
        terminal.show_json(found)
        return
    terminal.say(f"{found['id']} {found['version']} can be loaded. Hash {found['hash']}.")
    terminal.say(f"Signed by {found['author']}." if found["author"] else "Not signed.")
    for title in ("settings", "permissions", "requirements"):
        terminal.say(f"{title.capitalize()}: {printable(', '.join(found[title])) or 'none'}")
    for hint in found["hints"]:
        terminal.note(f"Hint: {printable(hint)}.")


@command.command()
@folder_argument
@json_option
@click.pass_obj
def test(terminal: Terminal, folder: Path, *, as_json: bool) -> None:
    """Run a component's example in the isolation, once for real and once simulated."""
    tried = _ask(terminal, "test", folder)
    if as_json:
        terminal.show_json(tried)
        return
    for mode, run in tried["runs"].items():
        for line in run["log"]:
            terminal.note(printable(line))
        for port, payload in run["outputs"].items():
            terminal.say(f"{mode}: {printable(port)} {json.dumps(payload['data'], ensure_ascii=True)}")


@command.command()
@folder_argument
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write (<id>-<version>.zip)."
)
@click.option("--sign", is_flag=True, help="Sign it with an identity of yours; writes signature.json.")
@click.option("--identity", metavar="NAME|ADDRESS", help="The identity that signs.")
@json_option
@click.pass_obj
def pack(  # noqa: PLR0913 - the options, by keyword
    terminal: Terminal, folder: Path, output: Path | None, identity: str | None, *, sign: bool, as_json: bool
) -> None:
    """Write a component as one file that an engine installs; the same files give the same bytes."""
    about = _ask(terminal, "hash", folder)
    target = output or Path(f"{about['id']}-{about['version']}.zip")
    if target.exists():
        raise FloworkError(ErrorCode.CONFLICT, f"{target} is there already.")
    if sign:
        key = choose_key(terminal.settings.identities, identity, terminal.ask_secret)
        signature = sign_component(key, about["id"], about["version"], about["hash"])
        (folder / "signature.json").write_text(signature, "utf-8")
    packed = _ask(terminal, "pack", folder, target.absolute())
    if as_json:
        terminal.show_json(packed)
        return
    terminal.say(f"{target}: {packed['bytes']} bytes, hash {packed['hash']}.")
    terminal.say(f"Signed by {packed['author']}." if packed["author"] else "Not signed.")


def _ask(terminal: Terminal, verb: str, folder: Path, *more: Path) -> dict[str, Any]:
    """Have the workbench do it in a clean process; the component's fault is INVALID_REQUEST."""
    words = [
        sys.executable,
        "-P",
        "-m",
        "core_engine.components.dropin",
        verb,
        str(folder.absolute()),
        *map(str, more),
    ]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            timeout=_DEADLINE_SECONDS,
            check=False,
            env=inherited(terminal.environ),
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired as error:
        raise FloworkError(ErrorCode.DEADLINE_EXCEEDED, "The component took too long.") from error
    except (OSError, ValueError, IndexError) as error:
        raise FloworkError(ErrorCode.INTERNAL, "The workbench did not answer.") from error
    if "error" in answer:
        raise FloworkError(ErrorCode.INVALID_REQUEST, f"{folder.name}: {answer['error']}")
    return answer
