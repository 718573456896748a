"""``flowork run WORKFLOW.json`` and ``flowork run --preset NAME``: start a workflow and watch it."""

from __future__ import annotations

import click

from flowork.terminal.files import parse_inputs, read_object, read_workflow
from flowork.terminal.following import follow, require_success
from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.session import json_option
from shared.contract.run import RunMode
from shared.errors import ErrorCode, FloworkError


@click.command()
@click.argument("workflow", required=False)
@click.option("--preset", metavar="NAME", help="Run this saved workflow instead of a file.")
@click.option(
    "--input", "inputs", multiple=True, metavar="KEY=TEXT|KEY:=JSON", help="A member of the payload."
)
@click.option("--payload", metavar="FILE", help="JSON file with the whole payload (- for standard input).")
@click.option("--simulate", is_flag=True, help="Walk the workflow without any side effect.")
@click.option("--start-node", metavar="ID", help="Start at this node.")
@click.option("--detach", is_flag=True, help="Print the run's id and leave it alone.")
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=3600.0, show_default=True, help="Seconds to watch."
)
@json_option
@engine_options
def command(  # noqa: PLR0913 - the options, by keyword
    reach: EngineReach,
    *,
    workflow: str | None,
    preset: str | None,
    inputs: tuple[str, ...],
    payload: str | None,
    simulate: bool,
    start_node: str | None,
    detach: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Run the WORKFLOW file (- for standard input) on an engine and show what happens.

    Ends with 0 when the run succeeded. Ctrl-C stops the run; with --json every event is a line.
    """
    if payload and inputs:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, "Give the payload by --input or by --payload, not both."
        )
    if (workflow is None) == (preset is None):
        raise click.UsageError("Give a WORKFLOW file, or --preset NAME of a saved one.")
    data = read_workflow(workflow) if workflow else None
    given = read_object(payload) if payload else parse_inputs(inputs)
    terminal = reach.through.terminal
    with reach.session() as session:
        run = session.run(
            data,
            initial_payload=given,
            mode=RunMode.SIMULATE if simulate else RunMode.EXECUTE,
            preset_name=preset,
            start_node_id=start_node,
            timeout_seconds=timeout,
        )
        if detach:
            if as_json:
                terminal.show_json({"job_id": run.job_id})
            else:
                terminal.say(run.job_id)
            return
        shown = data or session.presets.load(str(preset)).workflow_data
        state = follow(terminal, run, shown, as_json=as_json)
    require_success(run.job_id, state)
