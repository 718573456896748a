"""When a failed step is tried again, and after which wait."""

from __future__ import annotations

import random
from typing import Any

from core_engine.kernel.component import Component
from shared.contract.workflow import RetryPolicy, WorkflowNode
from shared.errors import ErrorCode, FloworkError

NO_RETRY = RetryPolicy(attempts=1)
# trying again cannot help: the same input meets the same refusal
_HOPELESS = frozenset(
    {
        ErrorCode.INVALID_REQUEST,
        ErrorCode.INVALID_WORKFLOW,
        ErrorCode.UNAUTHENTICATED,
        ErrorCode.BAD_SIGNATURE,
        ErrorCode.FORBIDDEN,
        ErrorCode.TOO_LARGE,
        ErrorCode.UNSUPPORTED_MEDIA,
        ErrorCode.NOT_IMPLEMENTED,
        ErrorCode.SANDBOX_UNAVAILABLE,
        ErrorCode.CONFIGURATION,
        ErrorCode.BUDGET_EXCEEDED,
    }
)


def worth_retrying(error: BaseException) -> bool:
    """Tell whether another attempt can end differently; an error whose details say ``final`` denies it."""
    if not isinstance(error, FloworkError):
        return True
    final = isinstance(error.details, dict) and error.details.get("final") is True
    return not final and error.code not in _HOPELESS


def ruled_out(policy: RetryPolicy, code: str, text: str) -> bool:
    """Tell whether the policy says of an error, by its code or a piece of its text, that it is not tried again."""
    return any(item == code or item in text for item in policy.not_on)


def wait_seconds(policy: RetryPolicy, failures: int, rng: random.Random) -> float:
    """Return the wait after the given number of failures (1 is the first)."""
    wait = min(policy.delay_seconds * policy.backoff ** (failures - 1), policy.max_delay_seconds)
    spread = wait * policy.jitter
    return max(0.0, wait + rng.uniform(-spread, spread))


def policy_of(node: WorkflowNode, component: Component[Any]) -> RetryPolicy:
    """Return a node's policy: its own, or the one its settings spell out in the older way (protocol §5.5).

    There ``retry_attempts`` counts the tries after the first and ``retry_delay_seconds`` is a fixed wait.
    """
    if node.retry:
        return node.retry
    retries = _number(node, component, "retry_attempts")
    if retries < 1:
        return NO_RETRY
    delay = min(max(_number(node, component, "retry_delay_seconds", 5.0), 0.0), 86_400.0)
    return RetryPolicy(
        attempts=min(int(retries) + 1, 100), delay_seconds=delay, backoff=1.0, max_delay_seconds=delay
    )


def timeout_of(node: WorkflowNode, component: Component[Any]) -> float | None:
    """Return how long one attempt may take, in seconds; None without a limit."""
    if node.timeout_seconds:
        return node.timeout_seconds
    return _number(node, component, "timeout_seconds") or None


def _number(node: WorkflowNode, component: Component[Any], name: str, default: float = 0.0) -> float:
    """Read a behaviour setting, unless the component has a setting of its own by that name."""
    value = node.config_values.get(name, default)
    if name in component.config_model.model_fields or isinstance(value, bool):
        return default
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return default
    return float(value) if isinstance(value, int | float) and 0 <= value < float("inf") else default
