"""``flowork runs rerun`` and ``flowork runs replay``: doing runs again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import click
from typing_extensions import override

from flowork.terminal.following import follow
from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.session import json_option
from shared.contract.rerun import ReplayRuns, RerunWorkflow, RunReplay
from shared.contract.run import RunStatus, WorkflowStatusUpdate
from shared.ids import new_id

_ENDED = [status.value for status in RunStatus if status.final]


class _Version(click.ParamType[Any]):
    """``same``, ``newest`` or the number of a version."""

    name = "same|newest|NUMBER"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Literal["same", "newest"] | int:
        if value in {"same", "newest"}:
            return "same" if value == "same" else "newest"
        if not (str(value).isdecimal() and int(value) > 0):
            self.fail(f"{value!r} is none of same, newest and a number.", param, ctx)
        return int(value)


@click.command()
@click.argument("run")
@click.option("--from", "node", metavar="NODE", help="Do only this node again and what comes after it.")
@click.option("--version", type=_Version(), default="same", show_default=True, help="Of its preset.")
@click.option("--changed", is_flag=True, help="Do nodes that were changed again too, instead of refusing.")
@click.option("--unfinished", is_flag=True, help="Also while the run has not ended.")
@click.option("--follow", "live", is_flag=True, help="Show the new run's events.")
@json_option
@engine_options
def rerun(  # noqa: PLR0913 - one for each option
    reach: EngineReach,
    *,
    run: str,
    node: str | None,
    version: Any,
    changed: bool,
    unfinished: bool,
    live: bool,
    as_json: bool,
) -> None:
    """Do RUN again as a new run."""
    terminal = reach.through.terminal
    command = RerunWorkflow(
        job_id=run,
        from_node_id=node,
        version=version,
        rerun_changed=changed,
        of_unfinished=unfinished,
        new_job_id=new_id(),
    )
    with reach.session() as session:
        told = session.ask(command, WorkflowStatusUpdate)
        if live:
            nodes = [{"id": item.node_id, "name": item.name} for item in session.get_run(told.job_id).nodes]
            follow(terminal, session.follow(told.job_id), {"nodes": nodes}, as_json=as_json)
            return
    if as_json:
        terminal.show_json(told)
    else:
        terminal.say(f"Run {told.job_id} {told.status_data.status.value}")


@click.command()
@click.option(
    "--status", type=click.Choice(_ENDED, case_sensitive=False), default="FAILED", show_default=True
)
@click.option("--preset", metavar="NAME", help="Only runs of this preset.")
@click.option("--after", type=click.DateTime(), help="Only runs that started at this time (UTC) or later.")
@click.option("--before", type=click.DateTime(), help="Only runs that started before this time (UTC).")
@click.option("--error", metavar="TEXT", help="Only runs whose error holds this text.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@click.option("--version", type=_Version(), default="newest", show_default=True, help="Of their preset.")
@click.option("--from-failed", is_flag=True, help="Keep what succeeded; do again from the failure on.")
@click.option("--execute", is_flag=True, help="Do it; without this it only says what it would do.")
@json_option
@engine_options
def replay(  # noqa: PLR0913 - one for each option
    reach: EngineReach,
    *,
    status: str,
    preset: str | None,
    after: datetime | None,
    before: datetime | None,
    error: str | None,
    limit: int,
    version: Any,
    from_failed: bool,
    execute: bool,
    as_json: bool,
) -> None:
    """Do many failed runs again; first look what that would do, then add --execute."""
    command = ReplayRuns.model_validate(
        {
            "status": status.upper(),
            "preset_name": preset,
            "after": _ms(after),
            "before": _ms(before),
            "error_contains": error,
            "limit": limit,
            "version": version,
            "start_from": "failed" if from_failed else "start",
            "dry_run": not execute,
        }
    )
    terminal = reach.through.terminal
    with reach.session() as session:
        told = session.ask(command, RunReplay)
    if as_json:
        terminal.show_json(told)
        return
    rows = [(item.job_id, item.outcome, item.new_job_id or "", item.reason or "") for item in told.runs]
    terminal.show_table(("RUN", "OUTCOME", "NEW RUN", "REASON"), rows, empty="No run matches.")
    done = "Would start" if told.dry_run else "Started"
    terminal.note(f"{done} {told.startable} of {told.matched}, refused {told.refused}.")


def _ms(time: datetime | None) -> int | None:
    return None if time is None else int(time.replace(tzinfo=UTC).timestamp() * 1000)
