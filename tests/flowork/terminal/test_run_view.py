"""How a run looks, as plain lines and as a live picture."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from flowork.terminal.run_view import RunView
from shared.contract.approval import ManualApprovalRequested
from shared.contract.base import Event
from shared.contract.run import DebugPopup, LogEvent, NodeExecutionMetric, StatusData, WorkflowStatusUpdate

WORKFLOW: dict[str, Any] = {"nodes": [{"id": "a", "name": "Read [red]it[/red]"}, {"id": "b"}]}
EVENTS: list[Event] = [
    WorkflowStatusUpdate(job_id="j", seq=1, status_data=StatusData(status="RUNNING")),
    NodeExecutionMetric(job_id="j", seq=2, node_id="a", status="RUNNING", timestamp=1, module_id="m"),
    LogEvent(job_id="j", seq=3, level="WARN", source="Read", message="odd \x1b[2J line", timestamp="t"),
    NodeExecutionMetric(
        job_id="j", seq=4, node_id="a", status="SUCCESS", timestamp=2, module_id="m", execution_time_ms=12.34
    ),
    NodeExecutionMetric(
        job_id="j",
        seq=5,
        node_id="b",
        status="ERROR",
        timestamp=2,
        module_id="m",
        attempt=2,
        error="it\x07broke",
    ),
    DebugPopup(job_id="j", seq=6, node_id="b", title="Result", content={"n": 1}),
    WorkflowStatusUpdate(job_id="j", seq=7, status_data=StatusData(status="FAILED", error_message="because")),
]


def shown(*, terminal: bool) -> str:
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=terminal, width=100, markup=False, emoji=False, highlight=False
    )
    view = RunView(console, WORKFLOW)
    with view.showing():
        for event in EVENTS:
            view.show(event)
    return output.getvalue()


def test_plain_lines_where_nobody_watches() -> None:
    lines = shown(terminal=False).splitlines()
    assert lines == [
        "Run RUNNING",
        "RUNNING Read [red]it[/red]",
        "WARN    Read: odd \\x1b[2J line",
        "SUCCESS Read [red]it[/red] (12.3 ms)",
        "ERROR   b [attempt 2]: it\\x07broke",
        "POPUP   Result",
        "        {",
        '          "n": 1',
        "        }",
        "Run FAILED: because",
    ]


def test_a_terminal_gets_a_picture_and_no_foreign_escape() -> None:
    text = shown(terminal=True)
    assert "✓" in text
    assert "✗" in text
    assert "odd \\x1b[2J line" in text
    assert "it\\x07broke" in text
    assert "Result" in text


def test_a_strange_workflow_does_not_disturb() -> None:
    for workflow in ({}, {"nodes": 5}, {"nodes": [1, {"id": 2}, {"name": "x"}]}):
        RunView(Console(file=io.StringIO()), workflow).show(EVENTS[1])


def test_a_request_for_approval_says_how_to_answer_it() -> None:
    output = io.StringIO()
    view = RunView(Console(file=output, width=100, markup=False, highlight=False), WORKFLOW)
    view.show(
        ManualApprovalRequested(
            job_id="j",
            seq=2,
            module_id="manual_approval",
            message="one\ntw\x1bo",
            node_id="a",
            title="Go?",
            approval_id="x",
            workflow_context_id="j",
            expires_at="2027-01-01T00:00:00.000Z",
        )
    )
    assert output.getvalue().splitlines() == [
        "APPROVAL Go?",
        "        one",
        "        tw\\x1bo",
        "        flowork runs approve|reject j a (until 2027-01-01T00:00:00.000Z)",
    ]
