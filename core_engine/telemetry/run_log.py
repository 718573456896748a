"""Two lines in the engine's log for each run that was asked for: it was accepted, it has ended.

Runs that another run started are told of at the level DEBUG: one loop may start thousands.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from core_engine.workflow import records as r
from core_engine.workflow.run import LiveRun

_LOG = logging.getLogger(__name__)


def log_ends(run: LiveRun, records: Sequence[r.Record]) -> None:
    """Write what the journal took of a run's begin and end."""
    for record in records:
        match record:
            case r.RunAccepted():
                facts = {
                    "run": run.id,
                    "mode": record.mode,
                    "origin": record.origin,
                    "address": record.started_by,
                }
                _LOG.log(_level(run), "a run was accepted", extra=facts)
            case r.RunFinished():
                ms = str(max(0, record.at - run.state.accepted.at))
                ended = {"run": run.id, "status": record.status, "ms": ms}
                _LOG.log(_level(run), "a run has ended", extra=ended)


def _level(run: LiveRun) -> int:
    return logging.DEBUG if run.state.accepted.parent else logging.INFO
