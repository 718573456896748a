"""Runs a saved workflow as one step."""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field, field_validator
from typing_extensions import override

from core_engine.components.children import called, first_failure, only_result, outcome_of
from core_engine.components.fields import form
from core_engine.kernel.component import Component, Config, Execution
from core_engine.kernel.context import Context
from core_engine.kernel.family import ChildRuns
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import Answer, Suspend


class SubWorkflowConfig(Config):
    """Which workflow, with which inputs."""

    preset_name: str = Field(min_length=1, max_length=200, description="The saved workflow to run.")
    inputs: Any = Field(
        None, description="What it is given, an object of names and values; empty gives it the step's own data.",
        json_schema_extra=form(widget="code", language="json", rows=6, placeholder='{"city": "{{ data.city }}"}'),
    )  # fmt: skip
    wait: bool = Field(
        True,
        description="Wait for its end and hand its result on; else only start it and hand its job_id on.",
    )

    @field_validator("inputs")
    @classmethod
    def _parses(cls, inputs: Any) -> Any:
        if isinstance(inputs, str):
            try:
                inputs = json.loads(inputs) if inputs.strip() else None
            except ValueError as error:
                raise ValueError(f"not a JSON object: {error}") from error
        if inputs is not None and not isinstance(inputs, dict):
            raise ValueError("inputs must be an object of names and values")
        return inputs


class SubWorkflow(Component[SubWorkflowConfig]):
    """Calls a saved workflow."""

    id = "sub_workflow"
    name = "Run a workflow"
    description = (
        "Runs a saved workflow as a linked run of its own and hands its result on. The version it calls is the newest"
        " when the step begins, and stays the same over restarts."
    )
    category = "Logic"
    kind = "CONTROL_FLOW"
    execution = Execution.THREAD
    config_model = SubWorkflowConfig

    @override
    def execute(self, context: Context, config: SubWorkflowConfig, payload: Payload) -> Suspend:
        """Ask for the run."""
        data = payload.data if config.inputs is None else config.inputs
        workflow = called(context, config.preset_name)
        return Suspend(
            runs=ChildRuns(items=[data], workflow=workflow, wrapped=False, detached=not config.wait)
        )

    @override
    def resume(self, context: Context, config: SubWorkflowConfig, payload: Payload, answer: Answer) -> Result:
        """Return the workflow's result, or ``job_id`` when it is not waited for."""
        outcome = outcome_of(answer)
        if outcome.failed:
            raise first_failure(outcome, f"The workflow {config.preset_name!r}")
        if not config.wait:
            return Result.on("success", {"job_id": outcome.job_ids[0]}, payload.history)
        return Result.on("success", only_result(outcome), payload.history)
