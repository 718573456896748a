"""Lines in the engine's log for each run that was asked for: it was accepted, it has ended.

A run that is over before the journal had its begin gets one line that says both.

Runs that another run started are told of at the level DEBUG: one loop may start thousands.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from core_engine.workflow.records import Record, RunAccepted, RunFinished
from core_engine.workflow.run import LiveRun
from shared import logs

_LOG = logging.getLogger(__name__)


def log_ends(run: LiveRun, records: Sequence[Record]) -> None:
    """Write what the journal took of a run's begin and end."""
    accepted: dict[str, str] = {}
    for record in records:
        if type(record) is RunAccepted:
            accepted = {"mode": record.mode, "origin": record.origin, "address": record.started_by}
        elif type(record) is RunFinished:
            ms = str(max(0, record.at - run.state.accepted.at))
            ended = {"run": run.id, "status": record.status, "ms": ms, **accepted}
            logs.tell(_LOG, _level(run), "a run has ended", ended)
            return
    if accepted:
        logs.tell(_LOG, _level(run), "a run was accepted", {"run": run.id, **accepted})


def _level(run: LiveRun) -> int:
    return logging.DEBUG if run.state.accepted.parent else logging.INFO
