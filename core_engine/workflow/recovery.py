"""After a start: every unfinished run of the journal goes on from where it stood."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Container
from contextlib import suppress

from core_engine.storage import EngineStore, RunRow, Write
from core_engine.workflow.archive import Archive, ArchivedRun, last_policies
from core_engine.workflow.conductor import Conductor
from core_engine.workflow.environment import Environment
from core_engine.workflow.family import Family
from core_engine.workflow.run import LiveRun
from core_engine.workflow.state import RunState
from shared.contract.run import RunStatus
from shared.errors import ErrorCode, FloworkError

_LOG = logging.getLogger(__name__)


async def recover_runs(  # noqa: PLR0913 - what they are wired with
    store: EngineStore,
    archive: Archive,
    conductor: Conductor,
    env: Environment,
    family: Family,
    *,
    only: Container[int] | None = None,
) -> int:
    """Go on with every unfinished run, or ``only`` with those of some numbers; return how many there are.

    A run whose journal is damaged is held: it is shown as FAILED with JOURNAL_CORRUPT, nothing of it runs and its
    journal stays as it is. Raises ENGINE_UNAVAILABLE while the database cannot be reached; called again, it goes on
    where it was.
    """
    count = 0
    for row in await asyncio.to_thread(store.archive.unfinished):
        if row.id in conductor.runs or (only is not None and row.number not in only):
            continue
        try:
            found, state = await asyncio.to_thread(archive.load_state, row.id)
        except FloworkError as error:
            if error.code is ErrorCode.ENGINE_UNAVAILABLE:
                raise  # it says nothing about the run
            _LOG.error(
                "A run cannot be recovered and is held.", extra={"run": row.id, "reason": error.message}
            )
            with suppress(FloworkError):  # a full disk: it is found again at the next start
                await store.write(Write(run=held_row(row, error, env.clock.now_ms()), refusable=True))
            continue
        family.take_back(take_up(found, state, conductor, env))
        count += 1
    return count


def take_up(found: ArchivedRun, state: RunState, conductor: Conductor, env: Environment) -> LiveRun:
    """Have a run of the journal go on in this process."""
    run = LiveRun(found.row.number, state, env, written=found.row.records)
    conductor.add(run)
    run.revive(last_policies(found.records))
    return run


def held_row(row: RunRow, error: FloworkError, now_ms: int) -> RunRow:
    """Return what is shown of a run whose journal is damaged."""
    text = f"{error.code.value}: {error.message}"
    return row._replace(status=RunStatus.FAILED.value, error=text, finished_at=now_ms)
