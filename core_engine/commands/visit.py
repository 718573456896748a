"""What a visitor of a share link may do beside the link's own words: only runs that the visitor started."""

from __future__ import annotations

from core_engine.access.share_links import Visit
from core_engine.kernel.ports import Runs
from shared.errors import ErrorCode, FloworkError
from shared.signing.envelope import OpenedMessage


def check_visitor(visit: Visit, opened: OpenedMessage, runs: Runs) -> None:
    """Raise FORBIDDEN for a command that the link does not allow, NOT_FOUND for runs of others or of other presets.

    An id that is given to a start must be new or the visitor's own, like every other run that is named.
    """
    command, payload = opened.payload.get("type"), opened.payload
    if not isinstance(command, str):
        raise FloworkError(ErrorCode.INVALID_REQUEST, "payload.type must name a command.")
    visit.check(command, payload)
    job_id = payload.get("job_id")
    if not isinstance(job_id, str):
        return
    try:
        run = runs.summary(job_id)
    except FloworkError as error:
        if error.code is not ErrorCode.NOT_FOUND or command != "execute_workflow":
            raise
        return
    if run.started_by != opened.address or run.preset_name != visit.preset:
        raise FloworkError(ErrorCode.NOT_FOUND, f"There is no run {job_id[:80]}.")
