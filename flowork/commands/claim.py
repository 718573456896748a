"""``flowork claim LINK``: become the owner of the engine that a fresh platform brought along."""

from __future__ import annotations

import click

from flowork.client import ClaimLink
from flowork.terminal.reach import GatewayReach, gateway_options
from flowork.terminal.session import json_option
from flowork.terminal.text import printable


@click.command()
@click.argument("link")
@json_option
@gateway_options
def command(reach: GatewayReach, link: str, *, as_json: bool) -> None:
    """Become the owner of an engine by its one-time claim LINK.

    `flowork up` shows the link as long as the engine has no owner. Put it in quotes, it contains an &.
    """
    claim = ClaimLink.parse(link)
    with reach.client(reach.gateway or claim.gateway_url) as client:
        client.profile()
        engine = client.claim(claim.code, claim.engine_id)
    if as_json:
        reach.terminal.show_json(engine)
    else:
        reach.terminal.say(f"{printable(engine.name)} ({engine.id}) is yours, {engine.owner}.", style="green")
