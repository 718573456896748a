"""Manual approval: the event by which a run asks a person, and the commands that answer it (protocol §4.2, §5.5)."""

from __future__ import annotations

from pydantic import Field

from shared.contract.base import Audience, Command, Event, JobId, Role
from shared.contract.run import RunDetails

LONGEST_COMMENT = 2000


class ManualApprovalRequested(
    Event, name="MANUAL_APPROVAL_REQUESTED", relay="MANUAL_APPROVAL_REQUESTED", audience=Audience.RUN
):
    """A node waits for a person. ``module_id`` and ``message`` are documented, the rest is ours.

    Answer with ``approve_manual`` or ``reject_manual``. ``expires_at`` (ISO 8601 in UTC) is when the node goes on
    without an answer, if ever.
    """

    type: str = "MANUAL_APPROVAL_REQUESTED"
    job_id: JobId
    seq: int
    module_id: str
    message: str
    node_id: str
    title: str
    approval_id: str
    workflow_context_id: JobId
    expires_at: str | None = None


class ApproveManual(Command, name="approve_manual", reply=RunDetails, role=Role.RUNNER):
    """Approve what a node of a run asks; the signed answer is kept with the run.

    ``approval_id``, if given, must be the one of the request: it keeps a late answer from meeting a later request.
    CONFLICT when the node does not wait for an answer (any more).
    """

    node_id: str = Field(min_length=1, max_length=80)
    comment: str = Field(default="", max_length=LONGEST_COMMENT)
    approval_id: str | None = Field(default=None, max_length=80)


class RejectManual(Command, name="reject_manual", reply=RunDetails, role=Role.RUNNER):
    """Reject what a node of a run asks; otherwise like ``approve_manual``."""

    node_id: str = Field(min_length=1, max_length=80)
    comment: str = Field(default="", max_length=LONGEST_COMMENT)
    approval_id: str | None = Field(default=None, max_length=80)
