"""Follows a run on the terminal to its end and says how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowork.client import Run
from flowork.terminal.run_view import RunView
from flowork.terminal.session import Terminal
from flowork.terminal.text import printable
from shared.contract.base import Event
from shared.contract.run import RunStatus, StatusData
from shared.errors import ErrorCode, FloworkError


def follow(terminal: Terminal, run: Run, workflow: Mapping[str, Any], *, as_json: bool) -> StatusData:
    """Show every event of the run; Ctrl-C stops the run and passes on. Return its final state."""
    view = RunView(terminal.out, workflow)
    try:
        if as_json:
            for event in run:
                _show_json(terminal, event)
        else:
            with view.showing():
                for event in run:
                    view.show(event)
    except KeyboardInterrupt:
        terminal.note(f"Stopping run {run.job_id} …")
        run.stop()
        raise
    if run.state is None:
        raise RuntimeError("a run that ended has a state")
    return run.state


def require_success(job_id: str, state: StatusData) -> None:
    """Raise COMPONENT_FAILED unless the run succeeded."""
    if state.status is not RunStatus.SUCCEEDED:
        reason = f": {printable(state.error_message)}" if state.error_message else "."
        raise FloworkError(ErrorCode.COMPONENT_FAILED, f"Run {job_id} ended as {state.status.value}{reason}")


def _show_json(terminal: Terminal, event: Event) -> None:
    terminal.show_json(event, indent=None)
