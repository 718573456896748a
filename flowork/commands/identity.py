"""``flowork identity``: the wallet keys that sign what you send."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from flowork.identity.choice import DEFAULT_NAME, choose_identity, choose_key
from flowork.identity.store import IdentityStore, StoredIdentity
from flowork.terminal.session import Terminal, json_option
from shared.clock import SystemClock
from shared.errors import ErrorCode, FloworkError
from shared.settings import reveal
from shared.signing.keys import WalletKey
from shared.signing.rest import sign_headers

HEX_KEY_LENGTHS = {64, 66}
_name = click.argument("name", default=DEFAULT_NAME)


@click.group(name="identity")
def command() -> None:
    """Create, import, show, export and remove identities.

    An identity is a wallet key in an encrypted file. Its words restore it, its address is your name everywhere.
    """


@command.command()
@_name
@json_option
@click.pass_obj
def create(terminal: Terminal, name: str, *, as_json: bool) -> None:
    """Make a new identity and show its 12 words, this once."""
    store = _store(terminal)
    store.require_free(name)
    passphrase = _new_passphrase(terminal)
    key, words = WalletKey.create()
    saved = store.save(name, key, passphrase)
    if as_json:
        terminal.show_json({"name": saved.name, "address": saved.address, "words": words})
        return
    terminal.say(f"Identity {saved.name}: {saved.address}", style="bold")
    terminal.say("These words restore it anywhere. Write them down now; they are not shown again:")
    terminal.say(f"  {words}", style="bold cyan")


@command.command(name="import")
@_name
@json_option
@click.pass_obj
def import_(terminal: Terminal, name: str, *, as_json: bool) -> None:
    """Save an identity from its words or its private key, asked for (or read from standard input)."""
    store = _store(terminal)
    store.require_free(name)
    asked = sys.stdin.isatty()
    secret = (terminal.ask_secret("Words or private key") if asked else sys.stdin.readline()).strip()
    key = WalletKey.from_hex(secret) if len(secret) in HEX_KEY_LENGTHS else WalletKey.from_words(secret)
    saved = store.save(name, key, _new_passphrase(terminal))
    _print(terminal, saved, as_json=as_json)


@command.command()
@click.argument("name", default="")
@json_option
@click.pass_obj
def show(terminal: Terminal, name: str, *, as_json: bool) -> None:
    """Show the address of an identity, or of the one in use."""
    settings = terminal.settings.identities
    if not name and settings.private_key:
        key = WalletKey.from_hex(reveal(settings.private_key))
        value = {"name": "FLOWORK_PRIVATE_KEY", "address": key.address}
        if as_json:
            terminal.show_json(value)
        else:
            terminal.say(f"{value['address']}  (from FLOWORK_PRIVATE_KEY)")
        return
    _print(terminal, choose_identity(_store(terminal), name or settings.name), as_json=as_json)


@command.command(name="list")
@json_option
@click.pass_obj
def list_(terminal: Terminal, *, as_json: bool) -> None:
    """List your identities."""
    known = _store(terminal).listing()
    if as_json:
        terminal.show_json([{"name": item.name, "address": item.address} for item in known])
        return
    rows = [(item.name, item.address) for item in known]
    terminal.show_table(
        ("NAME", "ADDRESS"), rows, empty="No identity yet; `flowork identity create` makes one."
    )


@command.command()
@_name
@click.option("--yes", is_flag=True, help="Do not ask whether anybody is watching.")
@json_option
@click.pass_obj
def export(terminal: Terminal, name: str, *, yes: bool, as_json: bool) -> None:
    """Print the private key of an identity. Whoever has it is you."""
    store = _store(terminal)
    identity = store.find(name)
    if not yes:
        click.confirm(f"Print the private key of {identity.name} here?", abort=True, err=True)
    key = store.unlock(identity, _passphrase(terminal, identity))
    if as_json:
        value = {"name": identity.name, "address": key.address, "private_key": key.private_key_hex()}
        terminal.show_json(value)
    else:
        terminal.say(key.private_key_hex())


@command.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(terminal: Terminal, name: str, *, yes: bool) -> None:
    """Delete an identity; only its words or its key bring it back."""
    store = _store(terminal)
    identity = store.find(name)
    if not yes:
        click.confirm(f"Delete {identity.name} ({identity.address}) for good?", abort=True, err=True)
    store.remove(identity)
    terminal.note(f"Deleted {identity.name}.")


@command.command()
@click.argument("method")
@click.argument("path")
@click.option("--body", default="", help="The body exactly as it will be sent; @FILE reads it from a file.")
@click.option("--identity", metavar="NAME", help="Identity that signs (FLOWORK_IDENTITY).")
@click.pass_obj
def headers(terminal: Terminal, method: str, path: str, body: str, identity: str | None) -> None:
    """Print the headers of one signed request, for `curl -H @-`; PATH starts with /api/v1."""
    try:
        content = Path(body[1:]).read_bytes() if body.startswith("@") else body.encode()
    except OSError as error:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, f"{body[1:]} cannot be read: {error.strerror}."
        ) from error
    key = choose_key(terminal.settings.identities, identity, terminal.ask_secret)
    signed = sign_headers(key, method, path, content, now_ms=SystemClock().now_ms())
    for name, value in signed.items():
        click.echo(f"{name}: {value}")


def _store(terminal: Terminal) -> IdentityStore:
    return IdentityStore(terminal.settings.identities.folder)


def _passphrase(terminal: Terminal, identity: StoredIdentity) -> str:
    given = reveal(terminal.settings.identities.passphrase)
    return given or terminal.ask_secret(f"Passphrase of identity {identity.name}")


def _new_passphrase(terminal: Terminal) -> str:
    given = reveal(terminal.settings.identities.passphrase)
    return given or terminal.ask_secret("New passphrase", twice=True)


def _print(terminal: Terminal, identity: StoredIdentity, *, as_json: bool) -> None:
    if as_json:
        terminal.show_json({"name": identity.name, "address": identity.address})
    else:
        terminal.say(f"{identity.address}  ({identity.name})")
