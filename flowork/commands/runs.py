"""``flowork runs``: what ran and what runs."""

from __future__ import annotations

import click

from flowork.terminal.following import follow
from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.rerunning import replay, rerun
from flowork.terminal.session import Terminal, json_option
from flowork.terminal.text import printable
from shared.clock import iso
from shared.contract.run import NodeState, RunDetails, RunStatus

_STATUSES = [status.value for status in RunStatus]


@click.group(name="runs")
def command() -> None:
    """List, show, follow, answer, stop and repeat runs."""


command.add_command(rerun)
command.add_command(replay)


@command.command(name="list")
@click.option(
    "--status", type=click.Choice(_STATUSES, case_sensitive=False), help="Only runs in this status."
)
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@json_option
@engine_options
def list_(reach: EngineReach, *, status: str | None, limit: int, as_json: bool) -> None:
    """List runs, newest first."""
    with reach.session() as session:
        found = session.runs(status=RunStatus(status) if status else None, limit=limit)
    terminal = reach.through.terminal
    if as_json:
        terminal.show_json(found)
        return
    rows = [
        (item.job_id, item.status.value, item.mode.value, iso(item.started_at), item.preset_name or "")
        for item in found
    ]
    terminal.show_table(("RUN", "STATUS", "MODE", "STARTED", "PRESET"), rows, empty="No runs yet.")


@command.command()
@click.argument("run")
@click.option("--follow", "live", is_flag=True, help="Show its events from the first to the last.")
@json_option
@engine_options
def show(reach: EngineReach, *, run: str, live: bool, as_json: bool) -> None:
    """Show a run with the state of every node."""
    terminal = reach.through.terminal
    with reach.session() as session:
        details = session.get_run(run)
        if live:
            nodes = [{"id": node.node_id, "name": node.name} for node in details.nodes]
            follow(terminal, session.follow(run), {"nodes": nodes}, as_json=as_json)
            return
    if as_json:
        terminal.show_json(details)
    else:
        _print(terminal, details)


@command.command()
@click.argument("run")
@json_option
@engine_options
def stop(reach: EngineReach, *, run: str, as_json: bool) -> None:
    """Stop a run; what is running in it is interrupted."""
    with reach.session() as session:
        told = session.stop(run)
    if as_json:
        reach.through.terminal.show_json(told)
    else:
        reach.through.terminal.say(f"Run {told.job_id} {told.status_data.status.value}")


@command.command()
@click.argument("run")
@click.argument("node")
@click.option("--comment", default="", help="Kept with the answer.")
@json_option
@engine_options
def approve(reach: EngineReach, *, run: str, node: str, comment: str, as_json: bool) -> None:
    """Approve what NODE of RUN asks; the run goes on."""
    with reach.session() as session:
        details = session.answer(run, node, approve=True, comment=comment)
    _tell(reach, "Approved", details, as_json=as_json)


@command.command()
@click.argument("run")
@click.argument("node")
@click.option("--comment", default="", help="Kept with the answer.")
@json_option
@engine_options
def reject(reach: EngineReach, *, run: str, node: str, comment: str, as_json: bool) -> None:
    """Reject what NODE of RUN asks; the run goes on along its other branch."""
    with reach.session() as session:
        details = session.answer(run, node, approve=False, comment=comment)
    _tell(reach, "Rejected", details, as_json=as_json)


def _tell(reach: EngineReach, done: str, details: RunDetails, *, as_json: bool) -> None:
    if as_json:
        reach.through.terminal.show_json(details)
    else:
        reach.through.terminal.say(f"{done}. Run {details.run.job_id} {details.run.status.value}")


def _print(terminal: Terminal, details: RunDetails) -> None:
    run = details.run
    error = f": {printable(run.error_message)}" if run.error_message else ""
    terminal.say(f"Run {run.job_id} {run.status.value}{error}", style="bold")
    terminal.say(f"started {iso(run.started_at)} by {run.started_by}, {run.mode.value}")
    rows = [
        (
            node.name or node.node_id,
            node.module_id,
            node.status.value,
            str(node.attempts),
            f"{node.execution_time_ms:.1f} ms" if node.execution_time_ms is not None else "",
            node.error or "",
        )
        for node in details.nodes
    ]
    terminal.show_table(("NODE", "COMPONENT", "STATUS", "TRIES", "TIME", "ERROR"), rows, empty="No nodes.")
    for node in details.nodes:
        _print_wait(terminal, node)


def _print_wait(terminal: Terminal, node: NodeState) -> None:
    name, answer, wait = printable(node.name or node.node_id), node.answered_by, node.waiting
    if answer:
        done = "approved" if answer.approved else "rejected"
        comment = f": {printable(answer.comment)}" if answer.comment else ""
        terminal.say(f"{name}: {done} by {answer.address} at {iso(answer.answered_at)}{comment}")
    if wait:
        what = "an answer" if wait.signal == "approval" else (wait.signal or "its time")
        until = f" until {iso(wait.until)}" if wait.until is not None else ""
        title = f": {printable(wait.title)} (node {printable(node.node_id)})" if wait.title else ""
        terminal.say(f"{name} waits for {what}{until}{title}")
