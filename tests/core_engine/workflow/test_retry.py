"""Waits between attempts and where policies come from."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from core_engine.kernel.component import Config
from core_engine.workflow.retry import policy_of, ruled_out, timeout_of, wait_seconds, worth_retrying
from shared.contract.workflow import RetryPolicy, WorkflowNode
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import Add, bench, workflow


class Own(Add):
    """A component with settings of its own by the names of the older behaviours."""

    class Model(Config):
        timeout_seconds: float = 3
        retry_attempts: int = 1

    config_model = Model


def node(**values: Any) -> WorkflowNode:
    retry = values.pop("retry", None)
    timeout = values.pop("timeout", None)
    return WorkflowNode(id="a", module_id="add", config_values=values, retry=retry, timeout_seconds=timeout)


def test_waits_grow_and_are_capped():
    policy = RetryPolicy(attempts=9, delay_seconds=2, backoff=3, max_delay_seconds=20, jitter=0)
    assert [wait_seconds(policy, n, random.Random(1)) for n in (1, 2, 3, 4)] == [2, 6, 18, 20]


def test_jitter_stays_within_its_fraction():
    policy = RetryPolicy(attempts=2, delay_seconds=10, backoff=1, jitter=0.5)
    waits = [wait_seconds(policy, 1, random.Random(seed)) for seed in range(200)]
    assert min(waits) >= 5
    assert max(waits) <= 15
    assert max(waits) - min(waits) > 8


def test_a_huge_backoff_does_not_overflow_into_a_wait():
    policy = RetryPolicy(attempts=100, delay_seconds=1, backoff=10, max_delay_seconds=60, jitter=1)
    assert 0 <= wait_seconds(policy, 99, random.Random(1)) <= 120


@pytest.mark.parametrize(
    ("values", "attempts", "delay"),
    [
        ({}, 1, 5.0),
        ({"retry_attempts": 0}, 1, 5.0),
        ({"retry_attempts": 2}, 3, 5.0),
        ({"retry_attempts": "2", "retry_delay_seconds": "0.5"}, 3, 0.5),
        ({"retry_attempts": 1, "retry_delay_seconds": 0}, 2, 0.0),
        ({"retry_attempts": 10_000, "retry_delay_seconds": 10**9}, 100, 86_400.0),
        ({"retry_attempts": "many"}, 1, 5.0),
        ({"retry_attempts": True}, 1, 5.0),
        ({"retry_attempts": -3}, 1, 5.0),
        ({"retry_attempts": 3, "retry": RetryPolicy(attempts=7)}, 7, 5.0),
    ],
)
def test_the_older_settings_are_understood(values: dict[str, Any], attempts: int, delay: float):
    policy = policy_of(node(**values), Add())
    assert (policy.attempts, policy.delay_seconds) == (attempts, delay)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, None),
        ({"timeout_seconds": 0}, None),
        ({"timeout_seconds": 2}, 2.0),
        ({"timeout_seconds": 2, "timeout": 9}, 9),
    ],
)
def test_time_limits(values: dict[str, Any], expected: float | None):
    assert timeout_of(node(**values), Add()) == expected


def test_a_components_own_setting_is_not_a_behaviour():
    values = {"timeout_seconds": 7, "retry_attempts": 4}
    assert timeout_of(node(**values), Own()) is None
    assert policy_of(node(**values), Own()).attempts == 1


def test_some_errors_are_not_worth_another_try():
    assert worth_retrying(ValueError("x"))
    assert worth_retrying(FloworkError(ErrorCode.DEADLINE_EXCEEDED, "x"))
    assert worth_retrying(FloworkError(ErrorCode.COMPONENT_FAILED, "x"))
    assert worth_retrying(FloworkError(ErrorCode.COMPONENT_FAILED, "x", details=[{"field": "a"}]))
    assert not worth_retrying(FloworkError(ErrorCode.COMPONENT_FAILED, "x", details={"final": True}))
    assert not worth_retrying(FloworkError(ErrorCode.FORBIDDEN, "x"))
    assert not worth_retrying(FloworkError(ErrorCode.INVALID_WORKFLOW, "x"))


def test_a_policy_names_errors_by_code_or_by_a_piece_of_their_text():
    policy = RetryPolicy(attempts=9, not_on=["NOT_FOUND", "status 404"])
    assert ruled_out(policy, "NOT_FOUND", "x")
    assert ruled_out(policy, "COMPONENT_FAILED", "The page answered with status 404.")
    assert not ruled_out(policy, "COMPONENT_FAILED", "The page answered with status 500; NOT FOUND")
    assert not ruled_out(RetryPolicy(attempts=9), "NOT_FOUND", "x")


@pytest.mark.parametrize(
    ("not_on", "attempts"), [([], 4), (["broke for good"], 1), (["COMPONENT_FAILED"], 1)]
)
async def test_an_error_that_is_ruled_out_ends_the_attempts(tmp_path: Path, not_on: list[str], attempts: int):
    retry = {"attempts": 4, "delay_seconds": 0, "not_on": not_on}
    failing = {"module_id": "fail", "config_values": {"text": "it broke for good"}, "retry": retry}
    async with bench(tmp_path) as shop:
        await shop.run(workflow(a=failing))
        (node,) = (await shop.runs.details("run-1")).nodes
        assert (node.status, node.attempts) == ("ERROR", attempts)
