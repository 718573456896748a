"""Counts over runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.members import save_as_member, simulated
from core_engine.components.records import MISSING, succeed
from core_engine.components.state import Change, ComponentState, Edit, Reach, place_of
from core_engine.kernel.component import Component, Config, Execution, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from shared.errors import ErrorCode, FloworkError

_LARGEST = 2**53 - 1
Number = int | float


class CounterConfig(Config):
    """Which number, and what becomes of it."""

    name: str = Field("counter", min_length=1, max_length=200, description="The counter's name.")
    action: Literal["increment", "set", "get", "reset"] = Field(
        "increment", description="Add to the number, set it, only read it, or put it back to 0."
    )
    amount: float = Field(
        1.0, ge=-_LARGEST, le=_LARGEST,
        description="How much is added by increment (negative to count down), or what set makes it.",
    )  # fmt: skip
    reach: Reach = Field(
        "workflow", description="Whether the number is this workflow's own, or shared by all of the engine."
    )
    save_as: str = save_as_member("count")


class Counter(Component[CounterConfig]):
    """A durable number."""

    id = "counter"
    name = "Counter"
    description = "Counts, over runs and restarts, and adds the number to the data. It starts at 0."
    category = "Logic"
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    queue = "engine"
    config_model = CounterConfig

    def __init__(self, state: ComponentState) -> None:
        self._state = state

    @override
    def policy_for(self, config: CounterConfig) -> StepPolicy:
        """Only reading has no effect."""
        return StepPolicy.REPEATABLE if config.action == "get" else StepPolicy.KEYED

    @override
    def execute(self, context: Context, config: CounterConfig, payload: Payload) -> Result:
        """Change the number once per step, however often that is tried."""
        place = place_of(context, "counter", config.reach, config.name)
        if config.action == "get":
            number = _number(self._state.get(place))
        else:
            number = self._state.change(place, context.idempotency_key, _edit(config))
        return succeed(payload, **{config.save_as: number})

    @override
    def simulate(self, context: Context, config: CounterConfig, payload: Payload) -> Result:
        """Return what the number would be."""
        number = self._state.get(place_of(context, "counter", config.reach, config.name))
        if config.action != "get":
            context.log(simulated(f"{config.action} the counter {config.name}"), "DEBUG")
        after = _number(number) if config.action == "get" else _edit(config)(number).result
        return succeed(payload, **{config.save_as: after})


def _edit(config: CounterConfig) -> Edit:
    def edit(old: object) -> Change:
        if config.action == "reset":
            return Change(MISSING, 0)
        number = _whole(config.amount + (_number(old) if config.action == "increment" else 0))
        if abs(number) > _LARGEST:
            raise FloworkError(ErrorCode.TOO_LARGE, f"The counter {config.name} would become too large.")
        return Change(number, number)

    return edit


def _number(value: object) -> Number:
    return value if isinstance(value, int | float) else 0


def _whole(value: float) -> Number:
    return int(value) if float(value).is_integer() else value
