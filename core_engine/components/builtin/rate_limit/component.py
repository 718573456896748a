"""Lets only so many through in a time."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from typing_extensions import override

from core_engine.components.members import simulated
from core_engine.components.state import Change, ComponentState, Edit, Reach, place_of
from core_engine.kernel.component import Component, Config, Execution, Port, StepPolicy
from core_engine.kernel.context import Context
from core_engine.kernel.payload import Payload, Result
from core_engine.kernel.suspension import Answer, Suspend

_THIRTY_DAYS = 30 * 86_400.0


class RateLimitConfig(Config):
    """How many in which time, and what becomes of the others."""

    name: str = Field(
        "limit", min_length=1, max_length=200,
        description="The limit's name; steps that name the same one share it, such as all that call one service.",
    )  # fmt: skip
    most: int = Field(60, ge=1, le=4000, description="How many may go on within the time.")
    window_seconds: float = Field(60.0, ge=0.001, le=_THIRTY_DAYS, description="The time, in seconds.")
    when_full: Literal["wait", "limited"] = Field(
        "wait", description="What others do: wait for their turn, also over restarts, or leave at limited."
    )
    longest_wait_seconds: float = Field(
        3600.0, gt=0, le=_THIRTY_DAYS,
        description="A step that would wait longer leaves at limited at once, in seconds.",
    )  # fmt: skip
    reach: Reach = Field(
        "engine", description="Whether the limit is this workflow's own, or shared by all of the engine."
    )


class RateLimit(Component[RateLimitConfig]):
    """Gives every step a turn, in the order they come."""

    id = "rate_limit"
    name = "Rate limit"
    description = (
        "Lets so many steps through in a time; the others wait for their turn or leave at limited. The data stays"
        " as it is. The turn of a run that is stopped while it waits is lost."
    )
    category = "Logic"
    kind = "CONTROL_FLOW"
    outputs = (
        Port("passed", "Passed", "It is this step's turn."),
        Port("limited", "Limited", "Too many came before."),
        Port("error", "Error"),
    )
    policy = StepPolicy.KEYED
    execution = Execution.THREAD
    queue = "engine"
    config_model = RateLimitConfig

    def __init__(self, state: ComponentState) -> None:
        self._state = state

    @override
    def execute(self, context: Context, config: RateLimitConfig, payload: Payload) -> Result | Suspend:
        """Take a turn: now, later, or none. A step that is tried again keeps the one it has."""
        place, now = place_of(context, "rate_limit", config.reach, config.name), self._state.now_ms()
        turn = self._state.change(place, context.idempotency_key, _take_turn(config, now))
        if turn is None:
            return Result({"limited": payload})
        return Suspend(until_ms=turn) if turn > now else Result({"passed": payload})

    @override
    def resume(self, context: Context, config: RateLimitConfig, payload: Payload, answer: Answer) -> Result:
        """Go on: the turn has come."""
        return Result({"passed": payload})

    @override
    def simulate(self, context: Context, config: RateLimitConfig, payload: Payload) -> Result:
        """Go on at once and take no turn."""
        context.log(simulated(f"take a turn of the limit {config.name}"), "DEBUG")
        return Result({"passed": payload})


def _take_turn(config: RateLimitConfig, now: int) -> Edit:
    """Return what finds the next free turn and notes it; of the turns given, the last ``most`` are kept."""

    def edit(old: Any) -> Change:
        window = max(1, round(config.window_seconds * 1000))
        turns = [turn for turn in (old if isinstance(old, list) else []) if turn > now - window]
        turn = now if len(turns) < config.most else max(now, turns[-config.most] + window)
        longest = 0 if config.when_full == "limited" else config.longest_wait_seconds * 1000
        if turn - now > longest:
            return Change(turns, None)
        return Change([*turns, turn][-config.most :], turn)

    return edit
