"""Asks a person."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config, Port
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import APPROVAL, Answer, Ending, Suspend
from shared.errors import ErrorCode, FloworkError

_TEN_YEARS = 10 * 365 * 86_400.0


class ApprovalConfig(Config):
    """The question, and what happens when nobody answers it."""

    title: str = Field("Approval needed", max_length=200, description="What is asked, in a few words.")
    message: str = Field(
        "Shall the workflow go on?",
        max_length=20_000,
        description="What the person who decides should know.",
        json_schema_extra=form(widget="textarea", rows=4),
    )
    timeout_seconds: float = Field(
        0.0, ge=0, le=_TEN_YEARS, description="How long to wait for an answer, in seconds; 0 waits for ever."
    )
    at_timeout: Literal["approve", "reject", "fail"] = Field(
        "reject", description="What happens when nobody answered in time."
    )
    answer_as: str = Field(
        "approval",
        max_length=100,
        description="Member of the data that is set to the answer (approved, by, comment); empty for none.",
    )


class ManualApproval(Component[ApprovalConfig]):
    """Waits, for weeks if need be, until a person approves or rejects."""

    id = "manual_approval"
    name = "Manual Approval"
    description = "Waits until a person approves or rejects, then passes the data on along that way."
    category = "Logic"
    kind = "CONTROL_FLOW"
    outputs = (
        Port("approved", "Approved", "Someone approved."),
        Port("rejected", "Rejected", "Someone rejected."),
        Port("error", "Error"),
    )
    config_model = ApprovalConfig

    @override
    def execute(self, context: Context, config: ApprovalConfig, payload: Payload) -> Suspend:
        """Ask and be put aside."""
        return Suspend(
            signal=APPROVAL,
            prompt={"title": config.title, "message": config.message},
            after_ms=round(config.timeout_seconds * 1000) if config.timeout_seconds else None,
        )

    @override
    def resume(self, context: Context, config: ApprovalConfig, payload: Payload, answer: Answer) -> Result:
        """Go the way the answer says."""
        if answer.ending is not Ending.TIMEOUT:
            approved = answer.ending is Ending.APPROVED
        elif config.at_timeout == "fail":
            raise FloworkError(
                ErrorCode.DEADLINE_EXCEEDED, f"Nobody answered within {config.timeout_seconds:g} s."
            )
        else:
            approved = config.at_timeout == "approve"
        return _leave(config, payload, answer, approved=approved)

    @override
    def simulate(self, context: Context, config: ApprovalConfig, payload: Payload) -> Result:
        """Do not ask: take it as approved."""
        context.log(f"Simulated: would ask for approval ({config.title}).", "DEBUG")
        return _leave(config, payload, Answer(Ending.APPROVED), approved=True)


def _leave(config: ApprovalConfig, payload: Payload, answer: Answer, *, approved: bool) -> Result:
    data = payload.data
    if config.answer_as and isinstance(data, dict):
        data = {
            **data,
            config.answer_as: {"approved": approved, "by": answer.by, "comment": answer.comment},
        }
    return Result({"approved" if approved else "rejected": Payload(data, payload.history)})
