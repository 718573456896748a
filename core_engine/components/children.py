"""What the components that start runs share: which workflow is meant, and how failures are told."""

from __future__ import annotations

from typing import Any

from core_engine.kernel.context import Context
from core_engine.kernel.family import CalledWorkflow, RunsOutcome
from core_engine.kernel.suspension import Answer
from shared.errors import ErrorCode, FloworkError


def called(context: Context, preset_name: str) -> CalledWorkflow | None:
    """Return the saved workflow of that name, None for no name: then the node's body is meant."""
    return context.saved_workflow(preset_name) if preset_name else None


def body_or_preset(preset_name: str, *, has_body: bool) -> str | None:
    """Return what is wrong with a loop that has both or neither."""
    if has_body and preset_name:
        return "A loop has either nodes inside it or a preset_name, not both."
    if not has_body and not preset_name:
        return "A loop needs nodes inside it (their parent_id is the loop's id), or a preset_name."
    return None


def outcome_of(answer: Answer) -> RunsOutcome:
    """Return how the runs ended; raises COMPONENT_FAILED when the items could not be gone through."""
    if answer.runs is None:
        raise TypeError("only the end of runs ends this wait")
    if answer.runs.error:
        raise FloworkError(ErrorCode.COMPONENT_FAILED, answer.runs.error)
    return answer.runs


def first_failure(outcome: RunsOutcome, what: str) -> FloworkError:
    """Return the error of a step whose run failed; ``what`` says which one."""
    failed = outcome.errors[0]
    run = f" (run {failed.job_id})" if failed.job_id else ""
    return FloworkError(ErrorCode.COMPONENT_FAILED, f"{what} failed{run}: {failed.error}")


def only_result(outcome: RunsOutcome) -> Any:
    """Return the result of the only run."""
    return next((data for _, data in outcome.results()), {})


def described(outcome: RunsOutcome) -> list[dict[str, Any]]:
    """Return the failed runs as data."""
    return [{"index": one.index, "job_id": one.job_id, "error": one.error} for one in outcome.errors]
