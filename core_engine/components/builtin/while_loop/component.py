"""Runs the nodes inside it, or a saved workflow, again and again as long as a condition holds."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import override

from core_engine.components.children import body_or_preset, called, first_failure, only_result, outcome_of
from core_engine.components.conditions import Operator, holds
from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.family import ChildRuns
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import Answer, Suspend


class WhileConfig(Config):
    """The condition and its bound."""

    left: Any = Field(
        None, title="Value",
        description="The value to judge before each round; data is the last round's result, at first the loop's input.",
        json_schema_extra=form(placeholder="{{ data.next_page }}"),
    )  # fmt: skip
    operator: Operator = Field("==", description="How the two values are compared.")
    right: Any = Field(
        None, title="Compared with", description="The value to compare with; not used by is … operators."
    )
    max_rounds: int = Field(
        100, ge=1, le=100_000, description="The loop ends after so many rounds, whatever the condition says."
    )
    preset_name: str = Field(
        "",
        max_length=200,
        description="A saved workflow to run each round, instead of nodes inside the loop.",
    )


class While(Component[WhileConfig]):
    """Loops on a condition."""

    id = "while_loop"
    name = "While"
    description = (
        "Runs the nodes inside it, or a saved workflow, as long as a condition holds. A round is given the last"
        " round's result as item; its own result goes into the next round."
    )
    category = "Logic"
    kind = "CONTROL_FLOW"
    execution = Execution.THREAD
    config_model = WhileConfig
    holds_body = True

    @override
    def seen_by_settings(self, payload: Payload, answer: Answer | None) -> Payload:
        """Let the condition see the last round's result."""
        if answer and answer.runs and answer.runs.succeeded:
            return Payload(only_result(answer.runs), payload.history)
        return payload

    @override
    def body_problem(self, config: WhileConfig, *, has_body: bool) -> str | None:
        """Want either a body or a saved workflow."""
        return body_or_preset(config.preset_name, has_body=has_body)

    @override
    def execute(self, context: Context, config: WhileConfig, payload: Payload) -> Result | Suspend:
        """Begin with the first round."""
        return self._go_on(context, config, payload.data, 0, payload.history)

    @override
    def resume(
        self, context: Context, config: WhileConfig, payload: Payload, answer: Answer
    ) -> Result | Suspend:
        """Judge a round's result, and begin the next."""
        outcome = outcome_of(answer)
        if outcome.failed:
            raise first_failure(outcome, f"Round {outcome.first} of the loop")
        data, rounds = only_result(outcome), outcome.first + 1
        if outcome.broken:
            return _done(data, rounds, payload.history, broken=True)
        return self._go_on(context, config, data, rounds, payload.history)

    def _go_on(
        self, context: Context, config: WhileConfig, data: Any, rounds: int, history: list[Any]
    ) -> Result | Suspend:
        if not holds(config.left, config.operator, config.right):
            return _done(data, rounds, history)
        if rounds >= config.max_rounds:
            context.log(f"The loop ends after {rounds} rounds although its condition still holds.", "WARN")
            return _done(data, rounds, history, capped=True)
        workflow = called(context, config.preset_name)
        return Suspend(runs=ChildRuns(items=[data], workflow=workflow, first=rounds))


def _done(
    data: Any, rounds: int, history: list[Any], *, capped: bool = False, broken: bool = False
) -> Result:
    found = {"rounds": rounds, "result": data, "capped": capped, "broken": broken}
    return Result.on("success", found, history)
