"""``flowork validate WORKFLOW.json``: every problem of a workflow, without running it."""

from __future__ import annotations

import click

from flowork.terminal.files import read_workflow
from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.session import json_option
from flowork.terminal.text import printable
from shared.contract.workflow import WorkflowProblem
from shared.errors import ERROR_TABLE, ErrorCode


@click.command()
@click.argument("workflow")
@json_option
@engine_options
def command(reach: EngineReach, workflow: str, *, as_json: bool) -> int:
    """Check the WORKFLOW file (- for standard input) on an engine and list every problem."""
    terminal = reach.through.terminal
    data = read_workflow(workflow)
    with reach.session() as session:
        result = session.validate(data)
    if as_json:
        terminal.show_json(result)
    else:
        for problem in result.problems:
            terminal.say(f"{_place(problem)}{printable(problem.problem)}")
        count = len(result.problems)
        terminal.note("The workflow can run." if result.valid else f"{count} problem(s).")
    return 0 if result.valid else ERROR_TABLE[ErrorCode.INVALID_WORKFLOW].exit


def _place(problem: WorkflowProblem) -> str:
    parts = (("node", problem.node_id), ("connection", problem.connection_id), ("field", problem.field))
    named = [f"{what} {printable(name)}" for what, name in parts if name]
    return f"{', '.join(named)}: " if named else ""
