"""Keeps a value over runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.fields import form
from core_engine.components.members import save_as_member, simulated
from core_engine.components.records import MISSING, succeed
from core_engine.components.state import Change, ComponentState, Reach, place_of
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result


class StateConfig(Config):
    """Which value, and what becomes of it."""

    name: str = Field(
        min_length=1, max_length=200, description="The value's name.", json_schema_extra=form(placeholder="last_id")
    )  # fmt: skip
    action: Literal["get", "set", "delete"] = Field("get", description="Read the value, set it or delete it.")
    value: Any = Field(
        None, description="What set makes it: any value up to 64 KiB as JSON.",
        json_schema_extra=form(placeholder="{{ data.id }}"),
    )  # fmt: skip
    default: Any = Field(None, description="What get gives where there is no value.")
    reach: Reach = Field(
        "workflow", description="Whether the value is this workflow's own, or shared by all of the engine."
    )
    save_as: str = save_as_member("value")


class State(Component[StateConfig]):
    """A durable value."""

    id = "state"
    name = "Remember a value"
    description = "Sets, reads or deletes a value that lasts over runs and restarts, and adds it to the data."
    category = "Logic"
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    queue = "engine"
    config_model = StateConfig

    def __init__(self, state: ComponentState) -> None:
        self._state = state

    @override
    def policy_for(self, config: StateConfig) -> StepPolicy:
        """Only reading has no effect."""
        return StepPolicy.REPEATABLE if config.action == "get" else StepPolicy.KEYED

    @override
    def execute(self, context: Context, config: StateConfig, payload: Payload) -> Result:
        """Return the value (none after delete) and ``found``: whether there was one before."""
        place = place_of(context, "state", config.reach, config.name)
        if config.action == "get":
            return _tell(config, payload, self._state.get(place))
        new = MISSING if config.action == "delete" else config.value
        key = context.idempotency_key
        found = self._state.change(place, key, lambda old: Change(new, old is not MISSING))
        return succeed(payload, **{config.save_as: _after(config), "found": found})

    @override
    def simulate(self, context: Context, config: StateConfig, payload: Payload) -> Result:
        """Return what `execute` would; the value stays as it is."""
        old = self._state.get(place_of(context, "state", config.reach, config.name))
        if config.action == "get":
            return _tell(config, payload, old)
        context.log(simulated(f"{config.action} the value {config.name}"), "DEBUG")
        return succeed(payload, **{config.save_as: _after(config), "found": old is not MISSING})


def _tell(config: StateConfig, payload: Payload, value: Any) -> Result:
    found = value is not MISSING
    return succeed(payload, **{config.save_as: value if found else config.default, "found": found})


def _after(config: StateConfig) -> Any:
    return config.value if config.action == "set" else None
