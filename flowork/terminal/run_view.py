"""Shows a run as it goes: a live picture in a terminal, plain lines everywhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from flowork.terminal.text import printable, printable_lines
from shared.contract.approval import ManualApprovalRequested
from shared.contract.base import Event
from shared.contract.run import DebugPopup, LogEvent, NodeExecutionMetric, WorkflowStatusUpdate

_LEVEL_STYLE = {"SUCCESS": "green", "WARN": "yellow", "ERROR": "red", "DEBUG": "dim"}
_STATUS_STYLE = {
    "SUCCESS": "green",
    "ERROR": "red",
    "SUCCEEDED": "green",
    "FAILED": "red",
    "STOPPED": "yellow",
}
_SIGN = {"SUCCESS": "✓", "ERROR": "✗"}
_MAX_LIVE_NODES = 30
_POPUP_LINES = 24


class RunView:
    """Shows the events of one run; use `showing` around the loop that feeds it."""

    def __init__(self, console: Console, workflow: Mapping[str, Any]) -> None:
        self._console = console
        self._names = _names(workflow)
        self._states: dict[str, NodeExecutionMetric] = {}
        self._spinner = Spinner("dots")
        self._live: Live | None = None

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Draw the live picture as long as the block runs, if this is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with Live(
            console=self._console, get_renderable=self._picture, refresh_per_second=12, transient=True
        ) as self._live:
            yield
        self._live = None
        if self._states:
            self._console.print(self._picture())

    def show(self, event: Event) -> None:
        """Take in the next event."""
        if isinstance(event, NodeExecutionMetric):
            self._show_node(event)
        elif isinstance(event, LogEvent):
            self._show_log(event)
        elif isinstance(event, DebugPopup):
            self._show_popup(event)
        elif isinstance(event, ManualApprovalRequested):
            self._show_request(event)
        elif isinstance(event, WorkflowStatusUpdate):
            self._show_status(event)

    def _show_node(self, event: NodeExecutionMetric) -> None:
        self._states[event.node_id] = event
        if self._live is None or event.error:
            error = f": {printable(event.error)}" if event.error else ""
            name = printable(self._names.get(event.node_id, event.node_id))
            status = Text(f"{event.status:<8}", _STATUS_STYLE.get(event.status, ""))
            self._print(Text.assemble(status, f"{name}{_duration(event)}{_attempt(event)}{error}"))

    def _show_log(self, event: LogEvent) -> None:
        level = Text(f"{event.level:<8}", _LEVEL_STYLE.get(event.level, ""))
        source = Text(f"{printable(event.source, limit=80)}: ", "dim")
        self._print(Text.assemble(level, source, printable(event.message)))

    def _show_popup(self, event: DebugPopup) -> None:
        title, content = printable(event.title, limit=200), _content(event.content)
        if self._console.is_terminal:
            self._console.print(Panel(Text(content), title=Text(title), border_style="cyan", expand=False))
        else:
            self._print(Text(f"POPUP   {title}"))
            for line in content.splitlines():
                self._print(Text(f"        {line}"))

    def _show_request(self, event: ManualApprovalRequested) -> None:
        title, node = printable(event.title, limit=200), printable(event.node_id)
        self._print(Text(f"APPROVAL {title}", "bold cyan"))
        for line in printable_lines(event.message).splitlines()[:_POPUP_LINES]:
            self._print(Text(f"        {line}"))
        until = f" (until {event.expires_at})" if event.expires_at else ""
        self._print(Text(f"        flowork runs approve|reject {event.job_id} {node}{until}", "dim"))

    def _show_status(self, event: WorkflowStatusUpdate) -> None:
        data = event.status_data
        error = f": {printable(data.error_message)}" if data.error_message else ""
        self._print(Text(f"Run {data.status.value}{error}", _STATUS_STYLE.get(data.status.value, "bold")))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _picture(self) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
        shown = list(self._names.items())[:_MAX_LIVE_NODES]
        for node_id, name in shown:
            state = self._states.get(node_id)
            if state is None:
                table.add_row(Text("·", "dim"), Text(printable(name), "dim"), "")
            elif state.status == "RUNNING":
                table.add_row(self._spinner, Text(printable(name), "bold"), Text(_attempt(state), "dim"))
            else:
                sign = Text(_SIGN[state.status], _STATUS_STYLE[state.status])
                table.add_row(sign, Text(printable(name)), Text(_duration(state) + _attempt(state), "dim"))
        if len(self._names) > len(shown):
            done = sum(1 for state in self._states.values() if state.status != "RUNNING")
            table.add_row("", Text(f"{done} of {len(self._names)} nodes done", "dim"), "")
        return table


def _names(workflow: Mapping[str, Any]) -> dict[str, str]:
    nodes = workflow.get("nodes")
    found = {}
    for node in nodes if isinstance(nodes, list) else []:
        if isinstance(node, dict) and isinstance(node.get("id"), str):
            found[node["id"]] = str(node.get("name") or node["id"])
    return found


def _duration(event: NodeExecutionMetric) -> str:
    return f" ({event.execution_time_ms:.1f} ms)" if event.execution_time_ms is not None else ""


def _attempt(event: NodeExecutionMetric) -> str:
    wait = f", again in {event.retry_in_seconds:.1f} s" if event.retry_in_seconds is not None else ""
    return f" [attempt {event.attempt}{wait}]" if event.attempt > 1 or wait else ""


def _content(content: Any) -> str:
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=2)
    lines = printable_lines(text).splitlines()
    more = [f"… {len(lines) - _POPUP_LINES} more lines"] if len(lines) > _POPUP_LINES else []
    return "\n".join(lines[:_POPUP_LINES] + more)
