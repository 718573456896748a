"""``flowork doctor``: what is wrong here, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.text import Text

from flowork.doctor.finding import Finding, Level
from flowork.doctor.folder import check_folder
from flowork.doctor.isolation import probe_isolation
from flowork.doctor.machine import check_clock, check_disk, check_ports
from flowork.doctor.outside import check_outside
from flowork.doctor.services import check_engine, check_exposure, check_gateway, service_secret
from flowork.doctor.software import check_software
from flowork.doctor.stores import check_stores
from flowork.doctor.strength import check_file, check_strength
from flowork.doctor.workers import check_workers
from flowork.identity.store import IdentityStore
from flowork.places import read_engine
from flowork.terminal.reach import GatewayReach
from flowork.terminal.session import Terminal, json_option
from flowork.terminal.text import printable
from shared.errors import ERROR_TABLE, ErrorCode

_SIGNS = {
    Level.OK: ("✓", "green"),
    Level.NOTE: ("·", "dim"),
    Level.WARN: ("!", "yellow"),
    Level.FAIL: ("✗", "red"),
}


@click.command()
@json_option
@click.pass_obj
def command(terminal: Terminal, *, as_json: bool) -> int:
    """Check software, machine, secrets and services, and say what to do. Ends with 0 unless something fails."""
    findings = _look(terminal)
    if as_json:
        terminal.show_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _print(terminal, finding)
    failed = any(finding.level is Level.FAIL for finding in findings)
    return ERROR_TABLE[ErrorCode.CONFIGURATION].exit if failed else 0


def _look(terminal: Terminal) -> list[Finding]:
    data_dir = terminal.settings.places.data_dir
    engine = check_engine(read_engine(data_dir), service_secret(terminal.environ, data_dir))
    if not any(finding.topic == "isolation" for finding in engine):
        engine.append(probe_isolation(terminal.environ))
    gateway = check_gateway(GatewayReach(terminal, None, None).url)
    running = any(
        finding.topic in {"gateway", "engine"} and finding.level is Level.OK for finding in gateway + engine
    )
    return [
        *check_software(),
        *check_folder(data_dir),
        check_disk(data_dir),
        *check_clock(),
        *check_file(Path.cwd() / ".env"),
        *check_strength(terminal.environ),
        _identity(terminal),
        *check_ports(terminal.environ, running=running),
        *gateway,
        *engine,
        *check_stores(terminal.environ),
        *check_workers(terminal.environ),
        *check_exposure(terminal.environ),
        *check_outside(terminal.environ),
    ]


def _identity(terminal: Terminal) -> Finding:
    settings = terminal.settings.identities
    if settings.private_key:
        return Finding("identity", Level.OK, "from FLOWORK_PRIVATE_KEY")
    names = ", ".join(item.name for item in IdentityStore(settings.folder).listing())
    if names:
        return Finding("identity", Level.OK, names)
    return Finding("identity", Level.NOTE, "none yet", "`flowork identity create` makes one.")


def _print(terminal: Terminal, finding: Finding) -> None:
    sign, style = _SIGNS[finding.level]
    line = Text.assemble((f"{sign} ", style), (f"{finding.topic:<19} ", "bold"), printable(finding.text))
    terminal.out.print(line, soft_wrap=True)
    if finding.advice:
        terminal.out.print(Text(f"{'':22}{printable(finding.advice)}", "yellow"), soft_wrap=True)
