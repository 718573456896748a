"""Reads ``workflow_data.settings.trigger``: what holds for all rules of a workflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from core_engine.workflow.queries import Query, QueryError
from shared.contract.flow_trigger import TriggerPolicy, TriggerSettings
from shared.contract.workflow import WorkflowProblem

_FIELD = "settings.trigger"


def trigger_policy(data: Mapping[str, Any]) -> TriggerPolicy | None:
    """Return the policy of a workflow's rules; None where it says none, or none that can be read."""
    given = _given(data)
    try:
        return None if given is None else TriggerSettings.model_validate(given).policy
    except ValidationError:
        return None


def trigger_problems(data: Mapping[str, Any]) -> Iterator[WorkflowProblem]:
    """Yield what is wrong with a workflow's trigger settings."""
    given = _given(data)
    if given is None:
        return
    try:
        policy = TriggerSettings.model_validate(given).policy
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            path = ".".join(map(str, item["loc"]))
            yield WorkflowProblem(problem=item["msg"], field=f"{_FIELD}.{path}" if path else _FIELD)
        return
    if policy and (problem := key_problem(policy)):
        yield WorkflowProblem(problem=problem, field=f"{_FIELD}.policy.key")


def key_problem(policy: TriggerPolicy) -> str | None:
    """Return why a policy's key is no query."""
    if not policy.key:
        return None
    try:
        Query(policy.key)
    except QueryError as error:
        return f"The key is no JMESPath: {error}."
    return None


def _given(data: Mapping[str, Any]) -> Any:
    settings = data.get("settings")
    return settings.get("trigger") if isinstance(settings, Mapping) else None
