"""``flowork engines``: your engines as the gateway knows them."""

from __future__ import annotations

import click

from flowork.terminal.reach import GatewayReach, gateway_options, pick_engine
from flowork.terminal.session import json_option
from flowork.terminal.text import printable


@click.group(name="engines")
def command() -> None:
    """List, register, rename and delete engines, and renew their tokens."""


@command.command(name="list")
@json_option
@gateway_options
def list_(reach: GatewayReach, *, as_json: bool) -> None:
    """List your engines and whether they are online."""
    with reach.client() as client:
        engines = client.engines()
    if as_json:
        reach.terminal.show_json(engines)
        return
    rows = [(item.name, item.id, item.status, item.last_seen or "never") for item in engines]
    empty = "No engine yet; `flowork engines register NAME` makes one."
    reach.terminal.show_table(("NAME", "ID", "STATUS", "LAST SEEN"), rows, empty=empty)


@command.command()
@click.argument("name")
@json_option
@gateway_options
def register(reach: GatewayReach, name: str, *, as_json: bool) -> None:
    """Register an engine; its token is shown this once."""
    with reach.client() as client:
        made = client.register_engine(name)
    if as_json:
        reach.terminal.show_json(made)
        return
    reach.terminal.say(f"FLOWORK_ENGINE_ID={printable(made.id)}")
    reach.terminal.say(f"FLOWORK_ENGINE_TOKEN={printable(made.raw_token)}")
    reach.terminal.note(
        "Give these two to the engine and start it there: flowork engine. The token is not shown again."
    )


@command.command()
@click.argument("engine")
@click.argument("name")
@gateway_options
def rename(reach: GatewayReach, engine: str, name: str) -> None:
    """Rename an engine, given by its id or its present name."""
    with reach.client() as client:
        told = client.rename_engine(pick_engine(client.engines(), engine), name)
    reach.terminal.note(printable(told.message))


@command.command(name="reset-token")
@click.argument("engine")
@json_option
@gateway_options
def reset_token(reach: GatewayReach, engine: str, *, as_json: bool) -> None:
    """Give an engine a new token; the old one stops working at once."""
    with reach.client() as client:
        made = client.reset_token(pick_engine(client.engines(), engine))
    if as_json:
        reach.terminal.show_json(made)
        return
    reach.terminal.say(f"FLOWORK_ENGINE_TOKEN={printable(made.token)}")
    reach.terminal.note("Start the engine again with it. It is not shown again.")


@command.command()
@click.argument("engine")
@click.option("--yes", is_flag=True, help="Do not ask.")
@gateway_options
def delete(reach: GatewayReach, engine: str, *, yes: bool) -> None:
    """Delete an engine; its token stops working and its shares are gone."""
    with reach.client() as client:
        engine_id = pick_engine(client.engines(), engine)
        if not yes:
            click.confirm(f"Delete engine {printable(engine)}?", abort=True, err=True)
        told = client.delete_engine(engine_id)
    reach.terminal.note(printable(told.message))
