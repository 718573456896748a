"""What steps used is added up by node and run, told to followers, and the same after a replay."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.payload import Result
from core_engine.workflow.retry import worth_retrying
from core_engine.workflow.usage import MOST_SPENDINGS, Spending, Usage, money
from shared.contract.run import RunDetails, RunStatus
from shared.errors import ErrorCode, FloworkError
from tests.core_engine.workflow.workshop import Registry, bench, workflow


class SpendConfig(Config):
    cost: str = "0.1"
    times: int = 1


class Spend(Component[SpendConfig]):
    """Tells what it used, and gives back what the run has used by then."""

    id = "spend"
    name = "Spend"
    description = "Spends."
    category = "test"
    config_model = SpendConfig

    def execute(self, context, config, payload):
        for _ in range(config.times):
            context.spend("chat", tokens_in=10, tokens_out=5, cost=config.cost, currency="EUR", model="m-1")
        if config.times == 1:
            context.log("spent")
        return Result.on("success", {"tokens": context.spent().tokens})


class ThreadSpend(Spend):
    """Does so on a thread."""

    id = "thread_spend"
    execution = Execution.THREAD


async def test_the_sums_are_told_live_and_read_the_same_after_a_restart(tmp_path) -> None:
    registry = Registry([Spend(), ThreadSpend()])
    data = workflow("a>b", "b>c", a="spend", b={"module_id": "thread_spend"}, c="add")
    async with bench(tmp_path, registry) as made:
        watcher = await made.run(data)
        before = await made.runs.details("run-1")
    told = watcher.of("NODE_USAGE")
    assert [(frame["node_id"], frame["cost"], frame["currency"]) for frame in told] == [
        ("a", "0.1", "EUR"),
        ("b", "0.1", "EUR"),
    ]
    assert [(frame["job_id"], frame["attempt"]) for frame in told] == [("run-1", 1)] * 2
    assert all(frame["seq"] in watcher.seqs and frame["timestamp"] for frame in told)
    assert isinstance(before, RunDetails)
    assert watcher.seqs == list(range(1, len(watcher.seqs) + 1))
    assert before.usage is not None
    assert before.usage.model_dump() == {
        "calls": 2, "tokens_in": 20, "tokens_out": 10, "cost": {"EUR": "0.2"}, "estimated": False,
    }  # fmt: skip
    by_node = {node.node_id: node.usage and node.usage.tokens_in for node in before.nodes}
    assert by_node == {"a": 10, "b": 10, "c": None}
    async with bench(tmp_path, registry) as again:
        await again.runs.recover()
        assert await again.runs.details("run-1") == before


async def test_a_step_sees_what_the_run_has_used_by_then(tmp_path) -> None:
    async with bench(tmp_path, Registry([Spend()])) as made:
        await made.run(workflow("a>b", "b>c", a="spend", b="spend", c="add"))
        assert await made.output("a>b") == {"tokens": 15}
        assert await made.output("b>c") == {"tokens": 30}


async def test_a_run_that_used_nothing_says_nothing_of_it(tmp_path) -> None:
    async with bench(tmp_path) as made:
        await made.run(workflow(a="add"))
        details = (await made.runs.details("run-1")).model_dump(mode="json")
    assert "usage" not in details
    assert "usage" not in details["nodes"][0]


async def test_a_step_that_tells_without_end_is_ended(tmp_path) -> None:
    settings = {"module_id": "spend", "config_values": {"times": MOST_SPENDINGS + 1}}
    async with bench(tmp_path, Registry([Spend()])) as made:
        watcher = await made.run(workflow(a=settings))
        details = await made.runs.details("run-1")
    assert details.run.status is RunStatus.FAILED
    assert len(watcher.of("NODE_USAGE")) == MOST_SPENDINGS


@pytest.mark.parametrize("cost", [-1, float("nan"), float("inf"), "much", 10**16])
def test_no_amount_of_money_is_refused(cost) -> None:
    with pytest.raises(ValueError, match="no amount of money"):
        Spending.of("chat", cost=cost)


def test_small_amounts_add_up_exactly() -> None:
    usage = Usage()
    for _ in range(10):
        usage.add(Spending.of("chat", cost="0.1").record(1, 1, 0, 1))
        usage.add(Spending.of("chat", cost=Decimal("1E-7"), currency="EUR").record(1, 1, 1, 1))
    assert usage.total().cost == {"USD": Decimal(1), "EUR": Decimal("1E-6")}
    assert money(usage.total().cost["EUR"]) == "0.000001"
    with pytest.raises(ValueError, match="not negative"):
        Spending.of("chat", tokens_in=-1)


def test_a_spent_budget_is_no_reason_to_try_again() -> None:
    assert not worth_retrying(FloworkError(ErrorCode.BUDGET_EXCEEDED, "spent"))
