"""``flowork up``: the whole platform on this machine, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import click

from flowork.client.claim_link import ClaimLink
from flowork.places import Address
from flowork.supervisor import secrets
from flowork.supervisor.folder import held, make_private
from flowork.supervisor.lines import LogLines
from flowork.supervisor.ownership import OwnerWatch
from flowork.supervisor.ports import require_free_ports
from flowork.supervisor.signals import sigterm_is_ctrl_c
from flowork.supervisor.supervisor import Supervisor
from flowork.terminal.banner import show_claim, show_owner, show_places
from flowork.terminal.session import Terminal


@click.command()
@click.pass_obj
def command(terminal: Terminal) -> None:
    """Start gateway and engine on this machine and keep them running until Ctrl-C.

    Needs no set-up: secrets are made once into the data folder (FLOWORK_DATA_DIR), the database is SQLite.
    """
    data_dir = terminal.settings.places.data_dir.absolute()
    make_private(data_dir)
    with held(data_dir / "up.lock", f"Flowork is running already with the data folder {data_dir}."):
        require_free_ports(terminal.environ)
        _serve(terminal, data_dir)


def _serve(terminal: Terminal, data_dir: Path) -> None:
    known = secrets.adopt(secrets.load_or_create(data_dir), terminal.environ)
    supervisor = Supervisor(terminal.environ, data_dir, known, LogLines(terminal.err))
    with sigterm_is_ctrl_c():
        try:
            gateway, engine = supervisor.start()
            page = terminal.environ.get("GATEWAY_PUBLIC_URL") or gateway.url
            show_places(terminal, page, engine.socket, str(data_dir))
            supervisor.watch(_owner_watch(terminal, data_dir, known, page, engine).tick)
        except KeyboardInterrupt:
            terminal.note("Stopping …")
        finally:
            supervisor.stop()
    terminal.note("Stopped.")


def _owner_watch(
    terminal: Terminal, data_dir: Path, known: secrets.PlatformSecrets, page: str, engine: Address
) -> OwnerWatch:
    def owned(owner: str) -> None:
        show_owner(terminal, owner)
        if known.claim_code:
            secrets.burn_claim(data_dir)
            terminal.note("The claim link is burnt.")

    def unclaimed() -> None:
        if known.claim_code:
            show_claim(terminal, ClaimLink(page, known.claim_code, known.engine_id).text)

    return OwnerWatch(engine.url, known.service_secret, unclaimed=unclaimed, owned=owned)
