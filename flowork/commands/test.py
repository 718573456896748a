"""``flowork test``: runs test files of workflows, or makes one from a past run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flowork.flowtests import find_files, junit, passed, run_tests, totals
from flowork.terminal.reach import EngineReach, engine_options
from flowork.terminal.session import Terminal, json_option
from flowork.terminal.text import printable
from shared.contract.flow_test import FlowTestMade, FlowTestReport, MakeFlowTest
from shared.errors import ErrorCode, FloworkError


@click.command(name="test")
@click.argument("paths", nargs=-1)
@click.option("--junit", "junit_file", metavar="FILE", help="Write the report as JUnit XML too.")
@click.option(
    "--from-run", "run", metavar="RUN", help="Make a test file from a past run of the engine instead."
)
@click.option(
    "-o", "--output", metavar="FILE", help="Where the file made from a run goes; - for standard output."
)
@json_option
@engine_options
def command(  # noqa: PLR0913 - one for each option
    reach: EngineReach,
    *,
    paths: tuple[str, ...],
    junit_file: str | None,
    run: str | None,
    output: str | None,
    as_json: bool,
) -> int:
    """Run the *.flowtest.json files in PATHS, without a gateway or an engine that runs.

    The exit code is 1 when something is not as expected.
    """
    terminal = reach.through.terminal
    if run:
        return _make(reach, run, output or "-")
    if not paths:
        raise FloworkError(ErrorCode.INVALID_REQUEST, "Name test files or folders, or a run with --from-run.")
    report = run_tests(find_files(paths), terminal.environ)
    if junit_file:
        Path(junit_file).write_bytes(junit(report))
    if as_json:
        terminal.show_json(report)
    else:
        _show(terminal, report)
    return 0 if passed(report) else 1


def _make(reach: EngineReach, run: str, output: str) -> int:
    with reach.session() as session:
        made = session.ask(MakeFlowTest(job_id=run), FlowTestMade).flow_test
    text = json.dumps(made, indent=2, ensure_ascii=False)
    if output == "-":
        reach.through.terminal.show_json(made)
    else:
        Path(output).write_text(f"{text}\n", encoding="utf-8")
        reach.through.terminal.note(f"Wrote {output}; look through its mocks and expectations.")
    return 0


def _show(terminal: Terminal, report: FlowTestReport) -> None:
    for file in report.files:
        terminal.say(printable(file.path), style="bold")
        if file.problem:
            terminal.say(f"  cannot be run: {printable(file.problem)}", style="red")
        for case in file.cases:
            mark, style = ("ok", "green") if case.passed else ("FAILED", "red")
            terminal.say(f"  {mark} {printable(case.case_name)} ({case.seconds:g} s)", style=style)
            if case.problem:
                terminal.say(f"    {printable(case.problem)}")
            for item in case.differences:
                where = f"{printable(item.node_id)}: " if item.node_id else ""
                terminal.say(f"    {where}{printable(item.path)}")
                terminal.say(f"      expected {printable(item.expected)}")
                terminal.say(f"      got      {printable(item.actual)}")
    count = totals(report)
    terminal.note(f"{count['passed']} passed, {count['failed']} failed.")
