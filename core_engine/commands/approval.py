"""Commands that answer a run's request for approval; the answer is kept with the proof of who gave it."""

from __future__ import annotations

from core_engine.commands.command import CommandContext, command
from core_engine.commands.seen import named_run, visible_run
from core_engine.kernel.suspension import Answer, Ending, SignedAnswer
from shared.contract.approval import ApproveManual, RejectManual
from shared.contract.run import RunDetails
from shared.errors import ErrorCode, FloworkError

LARGEST_ANSWER = 16 * 1024
"""Bytes of an answer's command: it is kept whole, so that its signature can be checked for ever."""


@command(ApproveManual)
async def approve_manual(context: CommandContext, message: ApproveManual) -> RunDetails:
    """Approve what a node asks."""
    return await _answer(context, message, Ending.APPROVED)


@command(RejectManual)
async def reject_manual(context: CommandContext, message: RejectManual) -> RunDetails:
    """Reject what a node asks."""
    return await _answer(context, message, Ending.REJECTED)


async def _answer(
    context: CommandContext, message: ApproveManual | RejectManual, ending: Ending
) -> RunDetails:
    run_id = visible_run(context, named_run(message))
    answer = Answer(ending, context.address, message.comment)
    signed = _with_proof(context, answer, message.approval_id)
    return await context.rooms.runs.answer(run_id, message.node_id, signed)


def _with_proof(context: CommandContext, answer: Answer, approval_id: str | None) -> SignedAnswer:
    opened = context.opened
    if opened is None:
        raise FloworkError(ErrorCode.UNAUTHENTICATED, "An approval must be signed by who gives it.")
    if len(opened.raw_payload) > LARGEST_ANSWER:
        raise FloworkError(
            ErrorCode.INVALID_REQUEST, f"An answer is kept as it was signed: at most {LARGEST_ANSWER} bytes."
        )
    return SignedAnswer(
        answer=answer,
        message=opened.message,
        signature=opened.signature,
        signer=opened.signer,
        bound=opened.bound,
        payload=opened.raw_payload.decode(),
        approval_id=approval_id,
    )
